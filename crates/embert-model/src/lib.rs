//! BERT for sequence classification on Burn, in Hugging Face's files.
