//! Checks the file of `predict --output` before anything is computed.

use std::path::{Path, PathBuf};

use embert_data::{DataError, ReadOptions, Table, TableReader};

use super::columns::{LABEL, LABELS, PREDICTION, PREDICTIONS, SCORE, SCORES, TOP_LABELS};
use crate::error::CliError;

/// The columns that `predict` always writes, by problem type.
const KINDS: [&[&str]; 6] = [
    &[LABEL, SCORE, SCORES],
    &[LABEL, SCORE, TOP_LABELS],
    &[LABELS, SCORES],
    &[LABELS, TOP_LABELS],
    &[PREDICTION],
    &[PREDICTIONS],
];

/// Fails if the output is the input, a directory, or a file that `predict` did not write. Also fails if its extension is
/// unknown, or if it cannot be written.
pub(crate) fn check(input: Option<&str>, output: &str) -> Result<(), CliError> {
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
    let first_rows = || TableReader::open(path, &ReadOptions::default()).ok()?.next()?.ok();
    has_content && !first_rows().is_some_and(|rows| is_of_predict(&rows))
}

fn is_of_predict(rows: &Table) -> bool {
    let columns = rows.column_names().collect::<Vec<_>>();
    KINDS.iter().any(|kind| kind.iter().all(|column| columns.contains(column)))
}

/// Returns the name of the output for a part of the input: its own if that format can be written, else `.jsonl`.
pub(super) fn name_for(part: &Path) -> PathBuf {
    const COMPRESSIONS: [&str; 4] = ["gz", "zst", "bz2", "zip"];
    const WRITTEN: [&str; 5] = ["csv", "tsv", "jsonl", "parquet", "arrow"];
    let extension = |path: &Path| path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut name = part.to_path_buf();
    if COMPRESSIONS.contains(&extension(&name).as_str()) {
        name.set_extension("");
    }
    if !WRITTEN.contains(&extension(&name).as_str()) {
        name.set_extension("jsonl");
    }
    name
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_has_the_format_of_its_part_if_it_can_be_written() {
        for (part, expected) in [
            ("a.csv", "a.csv"),
            ("year=2025/a.parquet", "year=2025/a.parquet"),
            ("a.csv.gz", "a.csv"),
            ("a.JSONL.zst", "a.JSONL"),
            ("a.json", "a.jsonl"),
            ("a.txt.bz2", "a.jsonl"),
            ("part-00000", "part-00000.jsonl"),
        ] {
            assert_eq!(name_for(Path::new(part)), Path::new(expected), "{part}");
        }
    }
}
