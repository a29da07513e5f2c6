//! Hostile data files: each is read or refused by its name and row; none panics, or takes memory far beyond its size.

mod delimited;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;

use std::path::Path;

use embert_data::{CsvQuoting, DataError, ReadOptions, read, read_table, read_texts};

/// Reads a file in all ways; a file that is good for labels must be good for its texts.
fn open(file: &Path) -> Result<(), DataError> {
    let options = ReadOptions::default();
    let texts = read_texts(file, &options).map(|(texts, _)| texts.len());
    let table = read_table(file, CsvQuoting::Minimal).and_then(|(table, _)| Ok(table.texts("text")?.0.len()));
    let without_quotes =
        ReadOptions { csv_quoting: CsvQuoting::None, drop_unlabelled: true, ..options.clone() };
    let _ = read(file, "train", &without_quotes, None);
    let dataset = read(file, "train", &options, None)?.dataset;
    assert!(dataset.examples.iter().all(|example| example.label < dataset.labels.len()));
    assert_eq!((texts?, table?), (dataset.len(), dataset.len()));
    Ok(())
}
