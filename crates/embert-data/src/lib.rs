//! Labelled texts for classification: read, shuffled as NumPy shuffles, split, cleaned, made up.
