//! Rows without a label: an error, or dropped if the options say so.

use std::path::Path;

use super::raw::{RawFile, RawLabel, RawRow, RawTarget};
use crate::dataset::Labels;
use crate::error::DataError;
use crate::note::DataNote;
use crate::options::ReadOptions;
use crate::problem_type::ProblemType;

/// The words that pandas reads as missing values (`pandas._libs.parsers.STR_NA_VALUES`).
const NOT_AVAILABLE: [&str; 17] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-NaN", "-nan", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN",
    "None", "n/a", "nan", "null", "1.#IND",
];

/// Returns true for a word that pandas reads as a missing value. Returns false for an empty text.
pub(crate) fn is_not_available(text: &str) -> bool {
    NOT_AVAILABLE.contains(&text.trim())
}

/// The rules that decide whether a row has a label.
pub(super) struct MissingLabels<'a> {
    pub(super) problem_type: ProblemType,
    pub(super) options: &'a ReadOptions,
    /// The files store label names. Then -1 means no label, as on the hub.
    pub(super) has_names: bool,
    pub(super) known: Option<&'a Labels>,
}

impl MissingLabels<'_> {
    /// Removes rows without a label; an error unless the options allow it.
    pub(super) fn remove(&self, path: &Path, files: &mut [RawFile]) -> Result<Option<DataNote>, DataError> {
        let count = |files: &[RawFile]| files.iter().map(|file| file.rows.len()).sum::<usize>();
        let (rows, path) = (count(files), path.to_path_buf());
        for file in files.iter_mut() {
            if self.options.drop_unlabelled {
                file.rows.retain(|row| self.missing_column(&row.target).is_none());
                continue;
            }
            if let Some(error) = file.rows.iter().find_map(|row| self.error(&file.path, row)) {
                return Err(error);
            }
        }
        match rows - count(files) {
            0 => Ok(None),
            dropped if dropped == rows => Err(DataError::AllUnlabelled { path, rows }),
            dropped => Ok(Some(DataNote::UnlabelledDropped { path, dropped, rows })),
        }
    }

    /// Returns the error for a row without a label.
    fn error(&self, path: &Path, row: &RawRow) -> Option<DataError> {
        let column = self.missing_column(&row.target)?;
        let label = row.target.labels().get(column);
        Some(DataError::Unlabelled {
            path: path.to_path_buf(),
            row: row.row,
            column: self.options.columns.labels.get(column).cloned().unwrap_or_default(),
            found: label.map_or("an empty list".to_owned(), |label| self.describe(label)),
        })
    }

    /// Returns the first label column without a value; `None` if the row has a label.
    fn missing_column(&self, target: &RawTarget) -> Option<usize> {
        let is_missing = |label: &RawLabel| match self.problem_type {
            ProblemType::Regression => self.is_missing_number(label),
            _ => self.is_missing(label, matches!(target, RawTarget::Columns(_))),
        };
        match target {
            RawTarget::List(labels) if self.problem_type == ProblemType::SingleLabelClassification => {
                labels.is_empty().then_some(0)
            }
            RawTarget::Value(label) if self.is_empty_list(label) => None,
            RawTarget::List(labels) => labels.iter().any(is_missing).then_some(0),
            RawTarget::Value(_) | RawTarget::Columns(_) => target.labels().iter().position(is_missing),
        }
    }

    /// Returns true for an empty text in multi-label data: a row without any of the labels.
    fn is_empty_list(&self, label: &RawLabel) -> bool {
        self.problem_type == ProblemType::MultiLabelClassification
            && matches!(label, RawLabel::Text(text) | RawLabel::Cell(text) if text.trim().is_empty())
    }

    fn is_missing(&self, label: &RawLabel, is_column: bool) -> bool {
        match label {
            RawLabel::Missing => true,
            RawLabel::Integer(-1) => (self.has_names || is_column) && !self.is_mapped("-1"),
            RawLabel::Cell(text) if is_column && text == "-1" => true,
            RawLabel::Text(text) | RawLabel::Cell(text) => {
                (text.trim().is_empty() || is_not_available(text))
                    && self.known.is_none_or(|labels| labels.id(text).is_none())
                    && !self.is_mapped(text)
            }
            RawLabel::Integer(_) | RawLabel::Fraction(_) | RawLabel::Boolean(_) => false,
        }
    }

    /// Returns true for null, an empty text, a word for null, NaN and infinity.
    fn is_missing_number(&self, label: &RawLabel) -> bool {
        const NOT_FINITE: [&str; 3] = ["nan", "inf", "infinity"];
        match label {
            RawLabel::Missing => true,
            RawLabel::Fraction(number) => !number.is_finite(),
            RawLabel::Text(text) | RawLabel::Cell(text) if !self.is_mapped(text) => {
                let word = text.trim().trim_start_matches(['+', '-']).to_ascii_lowercase();
                word.is_empty() || is_not_available(text) || NOT_FINITE.contains(&word.as_str())
            }
            _ => false,
        }
    }

    fn is_mapped(&self, value: &str) -> bool {
        self.options.label_map.as_ref().is_some_and(|map| map.has_value(value))
    }

    fn describe(&self, label: &RawLabel) -> String {
        match label {
            RawLabel::Integer(-1) if self.has_names => {
                "-1, which means no label on the hub, as in IMDb's unsupervised split".to_owned()
            }
            label if label.text() == "-1" => "-1, which means no label".to_owned(),
            label => label.to_string(),
        }
    }
}
