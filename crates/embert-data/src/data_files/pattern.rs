//! Patterns of paths, such as `data/*.csv`.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use glob::Pattern;

use super::walk::{self, Part};
use super::{DataFile, hive, listing};
use crate::error::DataError;
use crate::format::Format;

/// Returns true for a path with `*`, `?` or `[` that does not exist as a file.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(has_wildcard) && !path.exists()
}

/// Returns the files that match, sorted and each once; for folders, the files in them.
pub(super) fn files(pattern: &Path) -> Result<Vec<DataFile>, DataError> {
    let root = root(pattern);
    let parts = parts(pattern, root)?;
    let matches = matches(root, &parts)?;
    let unsupported = matches.first().cloned();
    let files = matches.into_iter().filter(|path| listing::has_rows(path)).collect::<Vec<_>>();
    let no_match = || DataError::NoMatch { pattern: pattern.display().to_string() };
    match (files.is_empty(), unsupported) {
        (false, _) => Ok(hive::with_partitions(root, files)),
        (true, Some(path)) => Err(Format::detect(&path, None).err().unwrap_or_else(no_match)),
        (true, None) => Err(no_match()),
    }
}

/// Returns the folder in which a pattern begins, and the parts below it.
pub(super) fn root_and_parts(pattern: &Path) -> Result<(&Path, Vec<Part>), DataError> {
    let root = root(pattern);
    let parts = parts(pattern, root)?;
    Ok((if root.as_os_str().is_empty() { Path::new(".") } else { root }, parts))
}

/// Returns the components after the root.
fn parts(pattern: &Path, root: &Path) -> Result<Vec<Part>, DataError> {
    let invalid = |reason| DataError::InvalidPattern { pattern: pattern.display().to_string(), reason };
    let part = |name: &str| match name {
        "**" => Ok(Part::Folders),
        name if has_wildcard(name) => {
            Pattern::new(name).map(Part::Names).map_err(|error| invalid(error.to_string()))
        }
        name => Ok(Part::Name(name.to_owned())),
    };
    let names = pattern.strip_prefix(root).unwrap_or(pattern).iter();
    let mut parts = names.map(|name| part(&name.to_string_lossy())).collect::<Result<Vec<_>, _>>()?;
    if pattern.to_string_lossy().ends_with(['/', MAIN_SEPARATOR]) {
        parts.push(Part::Folders); // `data/*/` matches folders only
    }
    Ok(parts)
}

/// Returns the files that match the parts below `root`; below the current folder if it is empty.
fn matches(root: &Path, parts: &[Part]) -> Result<Vec<PathBuf>, DataError> {
    if !root.as_os_str().is_empty() {
        return walk::files(root, parts);
    }
    let files = walk::files(Path::new("."), parts)?.into_iter();
    Ok(files.map(|path| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)).collect())
}

/// Returns the longest path before the first component with a wildcard.
fn root(pattern: &Path) -> &Path {
    let is_plain = |path: &&Path| path.to_str().is_some_and(|path| !has_wildcard(path));
    pattern.ancestors().find(is_plain).unwrap_or(Path::new(""))
}

fn has_wildcard(name: &str) -> bool {
    name.contains(['*', '?', '['])
}
