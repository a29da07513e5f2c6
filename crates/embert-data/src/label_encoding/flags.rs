//! Encodes flags of 0 and 1: several label columns, such as those of the Jigsaw data, or lists. Each flag is a label.

use std::path::Path;

use super::column_labels::ColumnLabels;
use super::raw::{RawFile, RawLabel, RawRow};
use super::{Encoded, examples};
use crate::dataset::{Labels, Target};
use crate::error::DataError;
use crate::number::parse_integer;
use crate::options::ReadOptions;

/// Encodes the columns with the value 1 as the labels of a row.
pub(super) fn encode_flags(
    path: &Path,
    files: Vec<RawFile>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<Encoded, DataError> {
    encode(files, &options.columns.labels, ColumnLabels::new(path, options, known)?)
}

/// Encodes the flags of each row. Flag `i` is for the label with the id `ids[i]`.
pub(super) fn encode(
    files: Vec<RawFile>,
    columns: &[String],
    ColumnLabels { labels, ids, notes }: ColumnLabels,
) -> Result<Encoded, DataError> {
    let examples = examples(files, |path: &Path, row: &RawRow| {
        let mut found = Vec::new();
        for (column, label) in row.target.labels().iter().enumerate() {
            match label.flag() {
                Some(true) => found.push(ids[column]),
                Some(false) => {}
                None => return Err(not_a_flag(path, row, &columns[column.min(columns.len() - 1)], label)),
            }
        }
        found.sort_unstable();
        Ok(Target::Labels(found))
    })?;
    Ok(Encoded { examples, labels, notes })
}

fn not_a_flag(path: &Path, row: &RawRow, column: &str, label: &RawLabel) -> DataError {
    let (path, column, found) = (path.to_path_buf(), column.to_owned(), label.to_string());
    DataError::ValueType { path, row: row.row, column, found, expected: "0 or 1" }
}

impl RawLabel {
    /// Returns the value of 0, 1, false or true. `None` for other values.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Integer(0) => Some(false),
            Self::Integer(1) => Some(true),
            Self::Text(text) | Self::Cell(text) => match parse_integer(text) {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => text.trim().to_ascii_lowercase().parse().ok(),
            },
            Self::Missing | Self::Integer(_) | Self::Fraction(_) => None,
        }
    }
}
