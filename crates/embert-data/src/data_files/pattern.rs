//! Patterns of paths, such as `data/*.csv`.

use std::path::{Path, PathBuf};

use glob::MatchOptions;

use super::{DataFile, hive, listing};
use crate::error::DataError;
use crate::format::Format;

/// Returns true for a path with `*`, `?` or `[` that does not exist as a file.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains(['*', '?', '['])) && !path.exists()
}

/// Returns the files that match, sorted; for folders, the files in them.
pub(super) fn files(pattern: &Path) -> Result<Vec<DataFile>, DataError> {
    let matches = matches(pattern)?;
    let mut files = Vec::new();
    for path in &matches {
        if path.is_dir() {
            files.extend(listing::data_files(path)?);
        } else if listing::is_data_file(path) {
            files.push(path.clone());
        }
    }
    match (files.is_empty(), matches.iter().find(|path| path.is_file())) {
        (false, _) => Ok(hive::with_partitions(root(pattern), files)),
        (true, Some(unsupported)) => Err(Format::detect(unsupported, None)
            .err()
            .unwrap_or(DataError::NoMatch { pattern: pattern.display().to_string() })),
        (true, None) => Err(DataError::NoMatch { pattern: pattern.display().to_string() }),
    }
}

fn matches(pattern: &Path) -> Result<Vec<PathBuf>, DataError> {
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let text = pattern.to_string_lossy();
    let invalid = |reason: String| DataError::InvalidPattern { pattern: text.to_string(), reason };
    let found = glob::glob_with(&text, options).map_err(|error| invalid(error.to_string()))?;
    let paths = found.map(|path| {
        path.map_err(|error| DataError::Io { path: error.path().to_path_buf(), source: error.into() })
    });
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| !listing::is_hidden(path));
    paths.sort();
    Ok(paths)
}

/// Returns the longest path before the first component with a wildcard.
fn root(pattern: &Path) -> &Path {
    let has_wildcard = |path: &Path| path.to_str().is_none_or(|path| path.contains(['*', '?', '[']));
    pattern.ancestors().find(|path| !has_wildcard(path)).unwrap_or(Path::new(""))
}
