//! Fine-tunes BERT-family encoders for text classification: one binary, no Python.
fn main() {}
