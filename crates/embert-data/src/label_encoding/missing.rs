//! Rows without a label: an error, or dropped if the options say so.

use std::path::Path;

use super::raw::{RawFile, RawLabel};
use crate::dataset::Labels;
use crate::error::DataError;
use crate::note::DataNote;
use crate::options::ReadOptions;

/// The words that pandas reads as missing values (`pandas._libs.parsers.STR_NA_VALUES`).
const NOT_AVAILABLE: [&str; 17] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-NaN", "-nan", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN",
    "None", "n/a", "nan", "null", "1.#IND",
];

/// Removes rows without a label.
///
/// `has_names` says that the files store label names. Then -1 means no label, as on the hub.
pub(super) fn remove_unlabelled(
    path: &Path,
    files: &mut [RawFile],
    options: &ReadOptions,
    has_names: bool,
    known: Option<&Labels>,
) -> Result<Option<DataNote>, DataError> {
    let count = |files: &[RawFile]| files.iter().map(|file| file.rows.len()).sum::<usize>();
    let (rows, path) = (count(files), path.to_path_buf());
    for file in files.iter_mut() {
        let missing = |label: &RawLabel| is_missing(label, has_names, known);
        if options.drop_unlabelled {
            file.rows.retain(|row| !missing(&row.label));
        } else if let Some(row) = file.rows.iter().find(|row| missing(&row.label)) {
            let (path, column) = (file.path.clone(), options.columns.label.clone());
            return Err(DataError::Unlabelled { path, row: row.row, column, found: describe(&row.label) });
        }
    }
    match rows - count(files) {
        0 => Ok(None),
        dropped if dropped == rows => Err(DataError::AllUnlabelled { path, rows }),
        dropped => Ok(Some(DataNote::UnlabelledDropped { path, dropped, rows })),
    }
}

fn is_missing(label: &RawLabel, has_names: bool, known: Option<&Labels>) -> bool {
    match label {
        RawLabel::Missing => true,
        RawLabel::Integer(-1) => has_names,
        RawLabel::Text(text) | RawLabel::Cell(text) => {
            let is_word = || text.trim().is_empty() || NOT_AVAILABLE.contains(&text.trim());
            is_word() && known.is_none_or(|labels| labels.id(text).is_none())
        }
        RawLabel::Integer(_) | RawLabel::Fraction(_) | RawLabel::Boolean(_) => false,
    }
}

fn describe(label: &RawLabel) -> String {
    match label {
        RawLabel::Text(text) | RawLabel::Cell(text) if text.trim().is_empty() => "empty".to_owned(),
        RawLabel::Text(text) | RawLabel::Cell(text) => format!("{text:?}"),
        RawLabel::Integer(number) => {
            format!("{number}, which means no label on the hub, as in IMDb's unsupervised split")
        }
        _ => "null".to_owned(),
    }
}
