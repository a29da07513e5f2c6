//! Malformed data files: each is read, or rejected with its name and row, without panics and within memory limits.

mod delimited;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;

use std::path::Path;

use embert_data::{CsvQuoting, DataError, ReadOptions, read, read_table, read_texts};

/// Reads a file with each function. If `read` accepts a file, `read_texts` and `read_table` must accept it, too.
fn open(file: &Path) -> Result<(), DataError> {
    let options = ReadOptions::default();
    let texts = read_texts(file, &options).map(|read| read.texts.len());
    let table = read_table(file, &options).and_then(|(table, _)| Ok(table.texts(&options)?.texts.len()));
    let without_quotes =
        ReadOptions { csv_quoting: CsvQuoting::None, drop_unlabelled: true, ..options.clone() };
    let _ = read(file, "train", &without_quotes, None);
    let dataset = read(file, "train", &options, None)?.dataset;
    assert!(
        dataset.examples.iter().all(|example| example
            .target
            .label_ids()
            .iter()
            .all(|id| *id < dataset.labels.len()))
    );
    assert_eq!((texts?, table?), (dataset.len(), dataset.len()));
    Ok(())
}
