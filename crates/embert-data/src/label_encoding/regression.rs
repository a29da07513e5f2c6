//! Encodes numbers as targets: of one column, of a list, or of several columns.

use std::path::Path;

use super::column_labels::ColumnLabels;
use super::mapped::map_labels;
use super::raw::{RawFile, RawLabel, RawRow, RawTarget};
use super::{Encoded, examples};
use crate::dataset::{Labels, Target};
use crate::error::DataError;
use crate::options::ReadOptions;

/// Encodes the numbers of each row. The name of a single target is `LABEL_0`, as in transformers.
pub(super) fn encode_numbers(
    path: &Path,
    mut files: Vec<RawFile>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<Encoded, DataError> {
    let is_one_column = options.columns.labels.len() == 1;
    if let Some(map) = options.label_map.as_ref().filter(|_| is_one_column) {
        map_labels(&mut files, map, None)?;
    }
    let ColumnLabels { labels, ids, notes } = match is_one_column {
        true => of_column(path, &files, known)?,
        false => ColumnLabels::new(path, options, known)?,
    };
    let examples = examples(files, |path: &Path, row: &RawRow| {
        let numbers = row.target.labels();
        if numbers.len() != ids.len() {
            let (path, row, found) = (path.to_path_buf(), row.row, numbers.len());
            return Err(DataError::TargetCount { path, row, found, expected: ids.len() });
        }
        let mut values = vec![0.0; ids.len()];
        for (index, label) in numbers.iter().enumerate() {
            let column = options.columns.labels.get(index).or(options.columns.labels.first());
            values[ids[index]] = number(label).ok_or_else(|| not_a_number(path, row, column, label))?;
        }
        Ok(Target::Values(values))
    })?;
    Ok(Encoded { examples, labels, notes })
}

/// Returns the targets of one column: one for a number, more for a list.
fn of_column(path: &Path, files: &[RawFile], known: Option<&Labels>) -> Result<ColumnLabels, DataError> {
    let first = files.iter().find_map(|file| file.rows.first());
    let count = match first.map(|row| &row.target) {
        Some(RawTarget::List(numbers)) => numbers.len(),
        _ => 1,
    };
    if let (Some(known), Some(row)) = (known.filter(|known| known.len() != count), first) {
        let (path, row, expected) = (path.to_path_buf(), row.row, known.len());
        return Err(DataError::TargetCount { path, row, found: count, expected });
    }
    let labels = known.cloned().unwrap_or_else(|| Labels::numbered(count));
    Ok(ColumnLabels { labels, ids: (0..count).collect(), notes: vec![] })
}

/// Returns the number in 32 bits; `None` for text that is not a number, and for numbers beyond 32 bits.
fn number(label: &RawLabel) -> Option<f32> {
    let number = match label {
        RawLabel::Boolean(value) => f32::from(u8::from(*value)),
        label => label.number()? as f32,
    };
    number.is_finite().then_some(number)
}

fn not_a_number(path: &Path, row: &RawRow, column: Option<&String>, label: &RawLabel) -> DataError {
    let (path, column) = (path.to_path_buf(), column.cloned().unwrap_or_default());
    let found = label.to_string();
    DataError::ValueType { path, row: row.row, column, found, expected: "a number" }
}
