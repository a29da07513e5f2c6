//! BERT's WordPiece tokenization, truncation and batches without waste.
