//! Labels made from the values that occur: sorted, and named by their value.

use std::collections::BTreeSet;
use std::path::Path;

use super::raw::RawFile;
use super::value::{ColumnKind, Value};
use crate::error::DataError;
use crate::note::DataNote;
use crate::review::Labels;

/// More classes mean that the column is something else, such as a row number or the texts.
const MOST_CLASSES: usize = 4096;

/// The sorted values of a label column.
pub(super) enum OccurringLabels {
    Integers(Vec<i128>),
    Names(Vec<String>),
}

impl OccurringLabels {
    /// Collects the values. A fraction is no class and is left out.
    pub(super) fn of(files: &[RawFile], kind: ColumnKind) -> Self {
        let values = files.iter().flat_map(|file| &file.rows).map(|row| kind.value(&row.label));
        let (mut integers, mut names) = (BTreeSet::new(), BTreeSet::new());
        for value in values {
            match value {
                Value::Integer { number, .. } => drop(integers.insert(number)),
                Value::Boolean { value, .. } => drop(names.insert(if value { "true" } else { "false" })),
                Value::Name(name) => drop(names.insert(name)),
                Value::Fraction { .. } => {}
            }
        }
        match kind {
            ColumnKind::Numbers => Self::Integers(integers.into_iter().collect()),
            ColumnKind::Booleans | ColumnKind::Names => {
                Self::Names(names.into_iter().map(str::to_owned).collect())
            }
        }
    }

    /// The labels: integers that are exactly 0, 1 and so on have the names that transformers gives them.
    pub(super) fn labels(&self) -> Result<Labels, DataError> {
        match self {
            Self::Integers(numbers) if (0..).zip(numbers).all(|(id, number)| id == *number) => {
                Ok(Labels::numbered(numbers.len()))
            }
            Self::Integers(numbers) => Labels::new(numbers.iter().map(i128::to_string).collect()),
            Self::Names(names) => Labels::new(names.clone()),
        }
    }

    pub(super) fn id(&self, value: &Value<'_>) -> Option<usize> {
        match (self, value) {
            (Self::Integers(numbers), Value::Integer { number, .. }) => numbers.binary_search(number).ok(),
            (Self::Names(names), Value::Name(name)) => find(names, name),
            (Self::Names(names), Value::Boolean { value, .. }) => find(names, &value.to_string()),
            _ => None,
        }
    }

    /// Refuses a column with too many values for its rows: it is probably not the label column.
    pub(super) fn check_count(&self, path: &Path, rows: usize) -> Result<Option<DataNote>, DataError> {
        let (path, labels) = (path.to_path_buf(), self.len());
        match labels {
            _ if labels > MOST_CLASSES => {
                Err(DataError::TooManyLabels { path, found: labels, limit: MOST_CLASSES })
            }
            50.. if rows < 2 * labels => Err(DataError::NotLabels { path, labels, rows }),
            100.. if rows < 10 * labels => Ok(Some(DataNote::ManyLabels { path, labels, rows })),
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
