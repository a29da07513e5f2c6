//! Tells whether a path would read files that do not exist yet, such as the files of a run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::listing::{has_data_name, is_hidden};
use super::pattern;
use super::walk::{self, Part};
use crate::error::DataError;

/// Returns true if a directory or a pattern would read one of these files if they existed, whatever layout the directory
/// has. The paths of the files must be absolute and without links.
///
/// # Errors
///
/// A [`DataError`] if the pattern is invalid, or if a folder cannot be listed.
pub fn would_read(path: &Path, files: &[PathBuf]) -> Result<bool, DataError> {
    let (root, parts) =
        if pattern::is_pattern(path) { pattern::root_and_parts(path)? } else { (path, vec![]) };
    let folders = walk::folders_of(root, &parts)?;
    let is_read = |file: &PathBuf| {
        folders.iter().any(|(folder, count)| {
            let below = file.strip_prefix(folder).map(|below| below.iter().collect::<Vec<_>>());
            below.is_ok_and(|names| is_match(&names, &parts[parts.len() - count..]))
        })
    };
    Ok(files.iter().filter(|file| has_data_name(file)).any(is_read))
}

/// Returns true if the parts match the names of folders and of a file below a visited folder.
fn is_match(names: &[&OsStr], parts: &[Part]) -> bool {
    let is_visible = |name: &OsStr| !is_hidden(Path::new(name));
    match (names, parts) {
        (names, []) => names.iter().all(|name| is_visible(name)),
        ([], _) => false,
        ([name, names @ ..], [Part::Name(part), parts @ ..]) => {
            *name == part.as_str() && is_match(names, parts)
        }
        ([name, names @ ..], [Part::Names(pattern), parts @ ..]) => {
            is_visible(name) && pattern.matches(&name.to_string_lossy()) && is_match(names, parts)
        }
        ([name, rest @ ..], [Part::Folders, after @ ..]) => {
            is_match(names, after) || is_visible(name) && is_match(rest, parts)
        }
    }
}
