//! Lists the entries of a directory, and decides which are files with rows.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::{Format, extensions};
use crate::input;

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

/// Returns the entries of a directory that are not hidden, sorted by name.
pub(super) fn visible_entries(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(directory)?.into_iter().filter(|path| !is_hidden(path)).collect())
}

/// Returns the folders of a directory that are not hidden, sorted by name.
pub(crate) fn folders(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(visible_entries(directory)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// Returns true for a file in a supported format, unless it is empty.
pub(super) fn has_rows(path: &Path) -> bool {
    is_data_file(path) && !is_empty_archive(path)
}

/// Returns true for a file in a supported format that has bytes. A pipe counts too: reading it is an error.
pub(super) fn is_data_file(path: &Path) -> bool {
    has_data_name(path) && !is_empty(path) && path.exists() && !path.is_dir()
}

/// Returns true if the name of a file has the extension of a supported format.
pub(super) fn has_data_name(path: &Path) -> bool {
    let is_zip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    !IGNORED.contains(&name(path)) && (is_zip || Format::by_extension(path).is_ok())
}

/// Returns true for a compressed file of no bytes.
pub(super) fn is_empty_archive(path: &Path) -> bool {
    let is_empty = || Ok::<_, DataError>(input::first_bytes(path, &mut input::open(path)?, 1)?.is_empty());
    extensions(path).1.is_some() && is_empty().unwrap_or(false)
}

/// Returns true for files without bytes. Spark writes them for empty partitions.
fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

pub(super) fn is_hidden(path: &Path) -> bool {
    name(path).starts_with(['.', '_'])
}

/// Returns the last component of a path; empty if it is not UTF-8.
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
