//! Finds the shards of a split in a directory with the hub's layout: `{split}-00000-of-00002.parquet`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::Format;
use crate::formatting::quoted;

/// Returns the parquet files of a split, sorted by name, in `directory` or one level down.
pub(crate) fn find(directory: &Path, split: &str) -> Result<Vec<PathBuf>, DataError> {
    let entries = list(directory)?;
    let shards = filter_split(&entries, split);
    if !shards.is_empty() {
        return check_count(directory, split, shards);
    }
    let mut found = Vec::new();
    for folder in entries.iter().filter(|entry| entry.is_dir()) {
        let shards = filter_split(&list(folder)?, split);
        if !shards.is_empty() {
            found.push((folder.clone(), shards));
        }
    }
    match found.len() {
        0 => Err(split_not_found(directory, split, &entries)),
        1 => found.into_iter().next().map_or(Ok(vec![]), |(at, shards)| check_count(&at, split, shards)),
        _ => Err(DataError::AmbiguousSplit {
            path: directory.to_path_buf(),
            split: split.to_owned(),
            first: name(&found[0].0).to_owned(),
            second: name(&found[1].0).to_owned(),
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

fn filter_split(entries: &[PathBuf], split: &str) -> Vec<PathBuf> {
    let belongs = |path: &&PathBuf| split_of(name(path)) == Some(split) && path.is_file();
    entries.iter().filter(belongs).cloned().collect()
}

/// Returns the split in a file name: `train` for `train-00000-of-00001.parquet`.
///
/// The split ends before the first `-` with a digit after it, so `train-extra-00000-of-00001.parquet` belongs to
/// `train-extra`.
fn split_of(file_name: &str) -> Option<&str> {
    let stem = file_name.strip_suffix(".parquet")?;
    let (at, _) = stem
        .match_indices('-')
        .find(|(at, _)| stem[at + 1..].starts_with(|next: char| next.is_ascii_digit()))?;
    Some(&stem[..at])
}

/// Returns an error if the number of shards differs from the number in their names.
fn check_count(directory: &Path, split: &str, shards: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    match shards.iter().find_map(|shard| count_in_name(name(shard), split)) {
        Some(expected) if expected != shards.len() => Err(DataError::ShardCount {
            path: directory.to_path_buf(),
            split: split.to_owned(),
            found: shards.len(),
            expected,
        }),
        _ => Ok(shards),
    }
}

/// Returns the number of shards in a file name: 3 for `train-00000-of-00003.parquet`.
fn count_in_name(file_name: &str, split: &str) -> Option<usize> {
    let mut parts = file_name.strip_prefix(split)?.strip_suffix(".parquet")?.split('-').skip(2);
    (parts.next() == Some("of")).then(|| parts.next()?.parse().ok())?
}

fn split_not_found(directory: &Path, split: &str, entries: &[PathBuf]) -> DataError {
    let mut files: Vec<PathBuf> = entries.to_vec();
    for folder in entries.iter().filter(|entry| entry.is_dir()) {
        files.extend(list(folder).unwrap_or_default());
    }
    let splits: BTreeSet<&str> = files.iter().filter_map(|path| split_of(name(path))).collect();
    let found = if splits.is_empty() {
        let is_table = |path: &PathBuf| path.is_file() && Format::by_extension(path).is_ok();
        let advice = if files.iter().any(is_table) { "; pass the path of one file" } else { "" };
        format!("{}{advice}", quoted(entries.iter().map(|path| name(path))))
    } else {
        format!("the splits {}", quoted(splits))
    };
    DataError::SplitNotFound { path: directory.to_path_buf(), split: split.to_owned(), found }
}

/// Returns the last component of a path; empty if it is not UTF-8.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
