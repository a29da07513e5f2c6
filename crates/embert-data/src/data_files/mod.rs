//! Finds the files of a path: of a split of a directory, of a pattern, or one file.

mod directory;
mod hive;
mod hub_layout;
mod keywords;
mod later;
pub(crate) mod listing;
mod one_format;
mod pattern;
mod saved_dataset;
mod walk;

use std::path::{Path, PathBuf};

use crate::acl_imdb;
use crate::error::DataError;
use crate::file_kind::require_file;
use crate::note::DataNote;
use directory::Directory;
pub use later::would_read;
use one_format::OneFormat;

/// A file with rows, and the columns in the names of its Hive folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) path: PathBuf,
    /// The name and the value of each partition, as in `year=2024`.
    pub(crate) partitions: Vec<(String, String)>,
}

impl DataFile {
    fn new(path: PathBuf) -> Self {
        Self { path, partitions: vec![] }
    }
}

/// The files of a path.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<DataFile>,
    /// Names skipped files of other formats.
    pub(crate) note: Option<DataNote>,
}

impl From<Vec<DataFile>> for Found {
    fn from(files: Vec<DataFile>) -> Self {
        Self { files, note: None }
    }
}

/// Returns the names of the splits of a directory: train, validation and test first. Empty for files and patterns.
///
/// `config` is the name of a configuration: a subdirectory, such as `mrpc` of GLUE.
///
/// # Errors
///
/// A [`DataError`] if the path does not exist, or has no configuration of this name.
pub fn splits(path: &Path, config: Option<&str>) -> Result<Vec<String>, DataError> {
    if pattern::is_pattern(path) || !metadata(path)?.is_dir() {
        return Ok(vec![]);
    }
    let acl_imdb = acl_imdb::splits(path)?;
    if !acl_imdb.is_empty() {
        return Ok(acl_imdb);
    }
    Ok(Directory::open(path, config)?.splits())
}

/// Returns the split of a directory that `save_to_disk` of `datasets` wrote for one `Dataset`; `None` for other paths.
///
/// Pass it to [`read`](crate::read) to read all rows of the directory, whatever split they were loaded as.
///
/// # Errors
///
/// A [`DataError`] if a JSON document of the directory is damaged.
pub fn saved_split(path: &Path) -> Result<Option<String>, DataError> {
    saved_dataset::split(path)
}

/// Returns the files with rows of a path, in order: one file, the files that match a pattern such as `data/*.csv`, or
/// all files of a directory, of every format.
///
/// Skips hidden files, files that begin with an underscore such as `_SUCCESS`, and empty files. Reads a folder once, also
/// if links in the directory lead to it.
///
/// # Errors
///
/// A [`DataError`] if there is no file, or if the path is a pipe.
pub fn input_parts(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    match listed_files(path)? {
        Some(files) => Ok(files.into_iter().map(|file| file.path).collect()),
        None => files_below(path),
    }
}

/// Returns the files with rows of a path, with the columns of Hive folders. Of a directory, only one format is read.
pub(crate) fn all_files(path: &Path) -> Result<Found, DataError> {
    if let Some(files) = listed_files(path)? {
        return Ok(files.into());
    }
    let one_format = OneFormat::most_common(files_below(path)?);
    let note = one_format.note(path);
    Ok(Found { files: hive::with_partitions(path, one_format.files), note })
}

/// Returns the files of a path that names them: a pattern, a file, or a directory of `save_to_disk`; `None` for other
/// directories.
fn listed_files(path: &Path) -> Result<Option<Vec<DataFile>>, DataError> {
    if pattern::is_pattern(path) {
        return pattern::files(path).map(Some);
    }
    if !metadata(path)?.is_dir() {
        require_file(path)?;
        return Ok(Some(vec![DataFile::new(path.to_path_buf())]));
    }
    let files = saved_dataset::files(path)?;
    Ok(files.map(|files| files.into_iter().map(DataFile::new).collect()))
}

/// Returns all files with rows below a directory.
fn files_below(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let files = walk::files(path, &[])?;
    if files.is_empty() { Err(DataError::Empty { path: path.to_path_buf() }) } else { Ok(files) }
}

/// Returns the files of a split. A file or a pattern has no splits, so all its rows are returned.
pub(crate) fn of_split(path: &Path, split: &str, config: Option<&str>) -> Result<Found, DataError> {
    if pattern::is_pattern(path) || !metadata(path)?.is_dir() {
        return all_files(path);
    }
    Directory::open(path, config)?.found(split)
}

fn metadata(path: &Path) -> Result<std::fs::Metadata, DataError> {
    std::fs::metadata(path).map_err(DataError::io(path))
}
