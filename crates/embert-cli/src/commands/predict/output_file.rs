//! Checks the file of `predict --output` before anything is computed.

use std::path::{Path, PathBuf};

use super::columns::{LABEL, LABELS, LOGITS, PREDICTION, PREDICTIONS, SCORE, SCORES, TOP_LABELS, TOP_SCORES};
use crate::commands::earlier_output::{self, Kind};
use crate::commands::output_file::{check_place, holds_something_else, is_same};
use crate::error::CliError;

/// The columns that `predict` writes after those of the input.
const KINDS: [Kind; 12] = [
    &[LABEL, SCORE, SCORES],
    &[LABEL, SCORE, TOP_LABELS, TOP_SCORES],
    &[LABELS, SCORES],
    &[LABELS, TOP_LABELS, TOP_SCORES],
    &[PREDICTION],
    &[PREDICTIONS],
    &[LABEL, SCORE, SCORES, LOGITS],
    &[LABEL, SCORE, TOP_LABELS, TOP_SCORES, LOGITS],
    &[LABELS, SCORES, LOGITS],
    &[LABELS, TOP_LABELS, TOP_SCORES, LOGITS],
    &[PREDICTION, LOGITS],
    &[PREDICTIONS, LOGITS],
];

/// Fails if the output is the input, a directory, or a file that `predict` did not write. Also fails if its extension is
/// unknown, or if it cannot be written.
pub(super) fn check(input: Option<&str>, output: &str) -> Result<(), CliError> {
    let path = Path::new(output);
    if input.is_some_and(|input| is_same(Path::new(input), path)) {
        return Err(CliError::usage(format!("--output {output}: this is the file of --input; name another")));
    }
    check_place(output)?;
    if earlier_output::is_replaceable(path, &KINDS, |_| true) {
        Ok(())
    } else {
        Err(holds_something_else(output))
    }
}

/// Fails if an existing output has other columns than the new one. A user may have added notes.
pub(super) fn require_columns(output: &Path, names: impl FnOnce() -> Vec<String>) -> Result<(), CliError> {
    if !earlier_output::has_content(output) {
        return Ok(());
    }
    let found = earlier_output::columns(output).unwrap_or_default();
    if found.iter().map(|name| name.trim()).eq(names().iter().map(|name| name.trim())) {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--output {}: this file exists and has other columns; name another file, or remove this one",
        output.display()
    )))
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
