//! Hostile data files: each is read or refused by its name and row; none panics, or takes memory far beyond its size.

mod delimited;
mod jsonl;
mod parquet;

use std::path::Path;

use embert_data::{Columns, DataError, read, read_texts};

/// Reads a file in both ways; only a file that is good for labels must be good for its texts.
fn open(file: &Path) -> Result<(), DataError> {
    let texts = read_texts(file, "text");
    let dataset = read(file, "train", &Columns::default(), None)?;
    assert!(dataset.examples.iter().all(|example| example.label < dataset.labels.len()));
    assert_eq!(texts?.len(), dataset.len());
    Ok(())
}
