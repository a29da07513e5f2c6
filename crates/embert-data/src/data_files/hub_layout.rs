//! The shards of the hub: `{split}-00000-of-00002.parquet`, in a directory or one level down.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::keywords;
use super::listing::{entries, folders, is_data_file, is_empty_archive, is_hidden, name};
use super::one_format::{OneFormat, group};
use crate::error::DataError;

/// The shards of a directory, each with its split, and other files with the word of another split.
pub(super) struct Shards {
    pub(super) directory: PathBuf,
    files: Vec<(String, PathBuf)>,
}

/// The folder of shards on the hub. Files next to it do not count, as in `datasets`.
const DATA: &str = "data";

/// Returns the shards in a directory; else those in its folders.
///
/// If the directory has other files of the same format, only the folder `data` counts.
pub(super) fn find(directory: &Path) -> Result<Vec<Shards>, DataError> {
    let here = Shards::of(directory)?;
    if !here.files.is_empty() {
        return Ok(vec![here]);
    }
    let below = folders(directory)?.iter().map(|folder| Shards::of(folder)).collect::<Result<Vec<_>, _>>()?;
    let mut below = below.into_iter().filter(|shards| !shards.files.is_empty()).collect::<Vec<_>>();
    let own = data_files(directory)?;
    if below.iter().any(|shards| own.iter().any(|path| shards.has_format_of(path))) {
        below.retain(|shards| name(&shards.directory) == DATA);
    }
    Ok(below)
}

/// Returns the shards, and the skipped files next to them: those whose format no shard has.
pub(super) fn of_one_format(directory: &Path, shards: &[Shards]) -> Result<OneFormat, DataError> {
    let folders = shards.iter().map(|shards| shards.directory.as_path()).chain([directory]);
    let folders = folders.collect::<BTreeSet<_>>().into_iter();
    let mut skipped = folders.map(data_files).collect::<Result<Vec<_>, _>>()?.concat();
    skipped.retain(|path| shards.iter().all(|shards| !shards.has_format_of(path)) && !is_empty_archive(path));
    let files = shards.iter().flat_map(|shards| &shards.files).map(|(_, path)| path.clone()).collect();
    Ok(OneFormat { files, skipped })
}

/// Returns the data files in a directory, not those in its folders.
fn data_files(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(directory)?.into_iter().filter(|path| !is_hidden(path) && is_data_file(path)).collect())
}

impl Shards {
    fn of(directory: &Path) -> Result<Self, DataError> {
        let split = |path: PathBuf| (split_of(name(&path)).map(str::to_owned), path);
        let (shards, others): (Vec<_>, Vec<_>) =
            data_files(directory)?.into_iter().map(split).partition(|(split, _)| split.is_some());
        let files = shards.into_iter().filter_map(|(split, path)| Some((split?, path))).collect();
        let mut shards = Self { directory: directory.to_path_buf(), files };
        shards.add_by_words(others.into_iter().map(|(_, path)| path).collect());
        Ok(shards)
    }

    /// Adds the splits that have no shards: `test` of `test.parquet` next to `train-00000-of-00001.parquet`.
    fn add_by_words(&mut self, mut others: Vec<PathBuf>) {
        others.retain(|path| self.has_format_of(path));
        for (split, paths) in keywords::by_words(&self.directory, &others) {
            if self.splits().all(|it| it != split) {
                self.files.extend(paths.into_iter().map(|path| (split.clone(), path)));
            }
        }
    }

    /// Returns true if a shard has the format of this file.
    fn has_format_of(&self, path: &Path) -> bool {
        self.files.iter().any(|(_, shard)| group(shard) == group(path))
    }

    pub(super) fn splits(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(split, _)| split.as_str())
    }

    /// Returns the files of a split without empty archives; an error if their number differs from the number in their
    /// names.
    pub(super) fn files(&self, split: &str) -> Result<Vec<PathBuf>, DataError> {
        let files = self.files.iter().filter(|(of, _)| of == split).map(|(_, path)| path.clone());
        let files = files.collect::<Vec<_>>();
        match files.iter().find_map(|path| count_in_name(name(path), split)) {
            Some(expected) if expected != files.len() => Err(DataError::ShardCount {
                path: self.directory.clone(),
                split: split.to_owned(),
                found: files.len(),
                expected,
            }),
            _ => Ok(files.into_iter().filter(|path| !is_empty_archive(path)).collect()),
        }
    }
}

/// Returns the split in the name of a shard: `train` for `train-00000-of-00001.parquet`.
///
/// The split ends before the first `-` with a digit after it, so `train-extra-00000-of-00001.parquet` belongs to
/// `train-extra`.
fn split_of(file_name: &str) -> Option<&str> {
    let is_digit = |next: char| next.is_ascii_digit();
    let (at, _) = file_name.match_indices('-').find(|(at, _)| file_name[at + 1..].starts_with(is_digit))?;
    let split = &file_name[..at];
    count_in_name(file_name, split).map(|_| split)
}

/// Returns the number of shards in a file name: 3 for `train-00000-of-00003.parquet`.
fn count_in_name(file_name: &str, split: &str) -> Option<usize> {
    let (_, rest) = file_name.strip_prefix(split)?.strip_prefix('-')?.split_once("-of-")?;
    rest[..rest.find(|next: char| !next.is_ascii_digit())?].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_ends_before_the_number() {
        for (name, split, count) in [
            ("train-00000-of-00003.parquet", Some("train"), Some(3)),
            ("train-extra-00000-of-00001.parquet", Some("train-extra"), Some(1)),
            ("validation_matched-00000-of-00001-0a1b.parquet", Some("validation_matched"), Some(1)),
            ("test-00000-of-00002.jsonl.gz", Some("test"), Some(2)),
            ("train-1.csv", None, None),
            ("part-00000-0a1b-c000.snappy.parquet", None, None),
            ("train.parquet", None, None),
        ] {
            assert_eq!(split_of(name), split, "{name}");
            assert_eq!(split.and_then(|split| count_in_name(name, split)), count, "{name}");
        }
    }
}
