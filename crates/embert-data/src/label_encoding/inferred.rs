//! Inferred labels: the sorted values of the label column.

use std::collections::BTreeSet;
use std::path::Path;

use super::label_type::{LabelType, LabelValue};
use super::raw::RawFile;
use crate::dataset::Labels;
use crate::error::DataError;
use crate::note::DataNote;

/// Maximum number of labels. A column with more is probably something else, such as row numbers or texts.
const MAX_LABELS: usize = 4096;

/// The sorted distinct values of a label column.
pub(super) enum InferredLabels {
    Integers(Vec<i128>),
    Names(Vec<String>),
}

impl InferredLabels {
    /// Collects the values. Leaves out fractions, which are not labels.
    pub(super) fn of(files: &[RawFile], label_type: LabelType) -> Self {
        let values = files.iter().flat_map(RawFile::labels).map(|label| label_type.value(label));
        let (mut integers, mut names) = (BTreeSet::new(), BTreeSet::new());
        for value in values {
            match value {
                LabelValue::Integer { number, .. } => drop(integers.insert(number)),
                LabelValue::Boolean { value, .. } => drop(names.insert(if value { "true" } else { "false" })),
                LabelValue::Name(name) => drop(names.insert(name)),
                LabelValue::Fraction { .. } => {}
            }
        }
        match label_type {
            LabelType::Numbers => Self::Integers(integers.into_iter().collect()),
            LabelType::Booleans | LabelType::Names => {
                Self::Names(names.into_iter().map(str::to_owned).collect())
            }
        }
    }

    /// Returns the labels. The integers 0, 1 and so on get the names `LABEL_0`, `LABEL_1`, as in transformers.
    pub(super) fn labels(&self) -> Result<Labels, DataError> {
        match self {
            Self::Integers(numbers) if (0..).zip(numbers).all(|(id, number)| id == *number) => {
                Ok(Labels::numbered(numbers.len()))
            }
            Self::Integers(numbers) => Labels::new(numbers.iter().map(i128::to_string).collect()),
            Self::Names(names) => Labels::new(names.clone()),
        }
    }

    pub(super) fn id(&self, value: &LabelValue<'_>) -> Option<usize> {
        match (self, value) {
            (Self::Integers(numbers), LabelValue::Integer { number, .. }) => {
                numbers.binary_search(number).ok()
            }
            (Self::Names(names), LabelValue::Name(name)) => find(names, name),
            (Self::Names(names), LabelValue::Boolean { value, .. }) => find(names, &value.to_string()),
            _ => None,
        }
    }

    /// Returns an error or a note if there are many labels for the number of rows and of their labels.
    pub(super) fn check_count(&self, path: &Path, files: &[RawFile]) -> Result<Option<DataNote>, DataError> {
        let (path, labels) = (path.to_path_buf(), self.len());
        let rows = files.iter().map(|file| file.rows.len()).sum();
        let found = files.iter().flat_map(RawFile::labels).count();
        match labels {
            _ if labels > MAX_LABELS => {
                Err(DataError::TooManyLabels { path, found: labels, limit: MAX_LABELS })
            }
            50.. if found < 2 * labels => Err(DataError::TooFewRowsPerLabel { path, labels, rows }),
            100.. if found < 10 * labels => Ok(Some(DataNote::ManyLabels { path, labels, rows })),
            _ => Ok(None),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(numbers) => numbers.len(),
            Self::Names(names) => names.len(),
        }
    }
}

fn find(names: &[String], name: &str) -> Option<usize> {
    names.binary_search_by(|known| known.as_str().cmp(name)).ok()
}
