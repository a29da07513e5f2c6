//! Checks the file of `predict --output` before anything is computed.

use std::path::Path;

use embert_data::{DataError, ReadOptions, Table, read_table};

use crate::error::CliError;

/// The columns that `predict` always writes.
pub(super) const PREDICTIONS: [&str; 3] = ["label", "score", "scores"];

/// Fails if the output is the input, a directory, or a file that `predict` did not write. Also fails if its extension is
/// unknown, or if it cannot be written.
pub(super) fn check(input: Option<&str>, output: &str) -> Result<(), CliError> {
    let path = Path::new(output);
    if input.is_some_and(|input| same_file(Path::new(input), path)) {
        return Err(CliError::usage(format!("--output {output}: this is the file of --input; name another")));
    }
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
    })?;
    if holds_something_else(path) {
        Err(CliError::usage(format!(
            "--output {output}: this file exists and holds no predictions; name another file, or remove this one"
        )))
    } else {
        Ok(())
    }
}

/// Returns true for an existing file with content that `predict` did not write.
fn holds_something_else(path: &Path) -> bool {
    let has_content = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    has_content
        && read_table(path, &ReadOptions::default()).map_or(true, |(table, _)| {
            let columns = table.column_names().collect::<Vec<_>>();
            !PREDICTIONS.iter().all(|column| columns.contains(column))
        })
}

/// Returns true if both paths are the same existing file, also through links.
#[cfg(unix)]
fn same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| path.metadata().map(|it| (it.dev(), it.ino())).ok();
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

#[cfg(not(unix))]
fn same_file(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}
