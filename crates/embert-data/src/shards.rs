//! The files of one split of a directory laid out as on the hub: `{split}-00000-of-00002.parquet`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::Format;
use crate::wording::quoted;

/// The parquet files of a split, in the order of their names, in `directory` or one level down.
pub(crate) fn find(directory: &Path, split: &str) -> Result<Vec<PathBuf>, DataError> {
    let entries = list(directory)?;
    let here = of_split(&entries, split);
    if !here.is_empty() {
        return checked(directory, split, here);
    }
    let mut below = Vec::new();
    for folder in entries.iter().filter(|entry| entry.is_dir()) {
        let shards = of_split(&list(folder)?, split);
        if !shards.is_empty() {
            below.push((folder.clone(), shards));
        }
    }
    match below.len() {
        0 => Err(no_split(directory, split, &entries)),
        1 => below.into_iter().next().map_or(Ok(vec![]), |(at, shards)| checked(&at, split, shards)),
        _ => Err(DataError::TwoConfigurations {
            path: directory.to_path_buf(),
            split: split.to_owned(),
            first: name(&below[0].0).to_owned(),
            second: name(&below[1].0).to_owned(),
        }),
    }
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = std::fs::read_dir(directory).map_err(DataError::io(directory))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(DataError::io(directory))?;
    paths.sort();
    Ok(paths)
}

fn of_split(entries: &[PathBuf], split: &str) -> Vec<PathBuf> {
    let belongs = |path: &&PathBuf| split_of(name(path)) == Some(split) && path.is_file();
    entries.iter().filter(belongs).cloned().collect()
}

/// `train` for `train-00000-of-00001.parquet`; what follows the split begins with a digit, so that
/// `train-extra-00000-of-00001.parquet` is of another split.
fn split_of(file_name: &str) -> Option<&str> {
    let stem = file_name.strip_suffix(".parquet")?;
    let (at, _) = stem
        .match_indices('-')
        .find(|(at, _)| stem[at + 1..].starts_with(|next: char| next.is_ascii_digit()))?;
    Some(&stem[..at])
}

fn checked(directory: &Path, split: &str, shards: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    match shards.iter().find_map(|shard| promised_count(name(shard), split)) {
        Some(expected) if expected != shards.len() => Err(DataError::ShardCount {
            path: directory.to_path_buf(),
            split: split.to_owned(),
            found: shards.len(),
            expected,
        }),
        _ => Ok(shards),
    }
}

/// 3 for `train-00000-of-00003.parquet`.
fn promised_count(file_name: &str, split: &str) -> Option<usize> {
    let mut parts = file_name.strip_prefix(split)?.strip_suffix(".parquet")?.split('-').skip(2);
    (parts.next() == Some("of")).then(|| parts.next()?.parse().ok())?
}

fn no_split(directory: &Path, split: &str, entries: &[PathBuf]) -> DataError {
    let mut files: Vec<PathBuf> = entries.to_vec();
    for folder in entries.iter().filter(|entry| entry.is_dir()) {
        files.extend(list(folder).unwrap_or_default());
    }
    let splits: BTreeSet<&str> = files.iter().filter_map(|path| split_of(name(path))).collect();
    let found = if splits.is_empty() {
        let is_table = |path: &PathBuf| path.is_file() && Format::by_extension(path).is_ok();
        let advice = if files.iter().any(is_table) { "; give the path of one file" } else { "" };
        format!("{}{advice}", quoted(entries.iter().map(|path| name(path))))
    } else {
        format!("the splits {}", quoted(splits))
    };
    DataError::NoSplit { path: directory.to_path_buf(), split: split.to_owned(), found }
}

/// The last part of a path; empty for names that are not UTF-8, which no split has.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
