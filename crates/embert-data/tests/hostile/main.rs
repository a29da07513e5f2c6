//! Malformed data files: each is read, or rejected with its name and row, without panics and within memory limits.

#[cfg(feature = "parquet")]
mod arrow;
mod compressed;
mod delimited;
mod json;
mod jsonl;
mod label_map;
#[cfg(feature = "parquet")]
mod lists;
#[cfg(feature = "parquet")]
mod parquet;
mod text_lines;

use std::path::Path;

use embert_data::{
    Columns, CsvQuoting, DataError, LabelMap, ProblemType, ReadOptions, read, read_table, read_texts,
};

/// Reads a file with each function. If `read` accepts a file, `read_texts` and `read_table` must accept it, too.
fn open(file: &Path) -> Result<(), DataError> {
    let options = ReadOptions::default();
    let texts = read_texts(file, &options).map(|read| read.texts.len());
    let table = read_table(file, &options).and_then(|(table, _)| Ok(table.texts(&options)?.texts.len()));
    let without_quotes =
        ReadOptions { csv_quoting: CsvQuoting::None, drop_unlabelled: true, ..options.clone() };
    let _ = read(file, "train", &without_quotes, None);
    const SMALL: u64 = 1 << 16;
    let loaded = read(file, "train", &options, None);
    let is_bomb = matches!(loaded, Err(DataError::DecompressionBomb { .. }));
    if !is_bomb && file.metadata().is_ok_and(|metadata| metadata.len() < SMALL) {
        read_with_other_targets(file, &without_quotes);
    }
    let dataset = loaded?.dataset;
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

/// Reads a small file as each problem type, with a separator and a map. The results are not compared.
fn read_with_other_targets(file: &Path, options: &ReadOptions) {
    for problem_type in ProblemType::ALL {
        let options = ReadOptions {
            problem_type: Some(problem_type),
            label_separator: Some(" ".to_owned()),
            label_map: "1=positive,0=negative".parse::<LabelMap>().ok(),
            columns: Columns { text_pair: Some("text".to_owned()), ..Columns::default() },
            ..options.clone()
        };
        let _ = read(file, "train", &options, None);
        let columns = Columns { labels: vec!["label".to_owned(), "text".to_owned()], ..Columns::default() };
        let _ = read(file, "train", &ReadOptions { columns, ..options }, None);
    }
}
