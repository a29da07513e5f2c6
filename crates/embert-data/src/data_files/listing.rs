//! Lists the files with rows below a directory, sorted by path.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::Format;

/// Files that describe a dataset and have no rows, as in `datasets`.
const IGNORED: [&str; 7] = [
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
    "state.json",
];

/// Maximum depth of folders.
const MAX_DEPTH: usize = 32;

/// Returns the files in supported formats below a directory, without hidden ones.
pub(super) fn data_files(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    collect(directory, MAX_DEPTH, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    for path in entries(directory)? {
        if is_hidden(&path) {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files)?;
            }
        } else if is_data_file(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns the entries of a directory, sorted by name.
pub(super) fn entries(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = std::fs::read_dir(directory).map_err(DataError::io(directory))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(DataError::io(directory))?;
    paths.sort();
    Ok(paths)
}

/// Returns the folders of a directory that are not hidden, sorted by name.
pub(super) fn folders(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = entries(directory)?.into_iter();
    Ok(entries.filter(|path| path.is_dir() && !is_hidden(path)).collect())
}

pub(super) fn is_data_file(path: &Path) -> bool {
    let is_zip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    !is_empty(path)
        && path.is_file()
        && !IGNORED.contains(&name(path))
        && (is_zip || Format::by_extension(path).is_ok())
}

/// Returns true for files without bytes. Spark writes them for empty partitions.
fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
}

pub(super) fn is_hidden(path: &Path) -> bool {
    name(path).starts_with(['.', '_'])
}

/// Keeps the files of the most common format; for equal numbers parquet, then arrow, json, csv, txt, as in `datasets`.
pub(super) fn of_one_format(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut counts = HashMap::new();
    files.iter().for_each(|path| *counts.entry(group(path)).or_insert(0) += 1);
    let most = counts.into_iter().max_by_key(|(group, count)| (*count, Reverse(*group)));
    let Some((most, _)) = most else { return files };
    files.into_iter().filter(|path| group(path) == most).collect()
}

/// Returns the position of a file's format among the formats that `datasets` reads with one loader.
fn group(path: &Path) -> usize {
    match Format::by_extension(path) {
        #[cfg(feature = "parquet")]
        Ok(Format::Parquet) => 0,
        #[cfg(feature = "parquet")]
        Ok(Format::Arrow) => 1,
        Ok(Format::Json | Format::Jsonl) => 2,
        Ok(Format::Delimited(_)) => 3,
        Ok(Format::Text) => 4,
        Err(_) => 5,
    }
}

/// Returns the last component of a path; empty if it is not UTF-8.
pub(super) fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
