//! The file of `--output`, for `predict` and `evaluate`.

use std::path::Path;

use embert_data::{DataError, Table};

use crate::error::CliError;
use crate::local_path;

/// Fails if the output is a directory, has an unknown extension, or cannot be written. Needs no model.
pub(super) fn check_place(output: &str) -> Result<(), CliError> {
    let path = Path::new(output);
    if path.is_dir() {
        return Err(CliError::usage(format!("--output {output}: this is a directory; name a file in it")));
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        return Err(CliError::usage(format!(
            "--output {output}: there is no directory {}; create it or name another file",
            directory.display()
        )));
    }
    Table::require_writable(path).map_err(|error| match error {
        DataError::Io { source, .. } => {
            CliError::usage(format!("--output {output}: cannot be written: {source}"))
        }
        error => CliError::usage(format!("--output {error}")),
    })
}

/// Returns the error for an existing file that must not be replaced.
pub(super) fn holds_something_else(output: &str) -> CliError {
    CliError::usage(format!(
        "--output {output}: this file exists and holds no predictions of this command; name another file, or remove this one"
    ))
}

/// Returns true for a path in a directory, also if its last directories do not exist yet.
pub(super) fn is_inside(path: &Path, directory: &Path) -> bool {
    directory.is_dir() && local_path::resolved(path).starts_with(local_path::resolved(directory))
}

/// Returns true if both paths are the same existing file, also through links.
#[cfg(unix)]
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| path.metadata().map(|it| (it.dev(), it.ino())).ok();
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

#[cfg(not(unix))]
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}
