//! How many rows each label has, and whether that is enough to learn from.

use std::fmt;

use crate::error::DataError;
use crate::note::DataNote;
use crate::review::Dataset;
use crate::wording::shortened;

/// The rows of each label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassBalance {
    /// The names of the labels, by id.
    pub names: Vec<String>,
    /// How many rows each of them has, by id.
    pub counts: Vec<usize>,
}

impl ClassBalance {
    /// Counts the rows of a data set.
    pub fn of(dataset: &Dataset) -> Self {
        Self { names: dataset.labels.names().to_vec(), counts: dataset.class_counts() }
    }

    /// How many rows there are.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The share of a label's rows in percent, 0 when there are no rows at all.
    ///
    /// # Panics
    ///
    /// When there is no label with this id.
    pub fn percent(&self, id: usize) -> f64 {
        100.0 * self.counts[id] as f64 / self.total().max(1) as f64
    }
}

/// Writes each label with its rows and share: `neg 512 (51.2 %), pos 488 (48.8 %)`; of many labels the first.
impl fmt::Display for ClassBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 30;
        let labels = self.names.iter().zip(&self.counts).enumerate();
        let rows = labels.map(|(id, (name, count))| format!("{name} {count} ({:.1} %)", self.percent(id)));
        f.write_str(&shortened(rows, SHOWN))
    }
}

/// Refuses rows to train on that are all of one class.
///
/// # Errors
///
/// [`DataError::OneClass`], which says how such a selection comes about, and [`DataError::NoRows`].
pub fn require_two_classes(dataset: &Dataset) -> Result<(), DataError> {
    match only_label(dataset) {
        _ if dataset.is_empty() => Err(DataError::NoRows { split: "train".to_owned() }),
        Some(label) => Err(DataError::OneClass { rows: dataset.len(), label: label.to_owned() }),
        None => Ok(()),
    }
}

/// Refuses to evaluate on no rows, and notes that all rows are of one class.
///
/// # Errors
///
/// [`DataError::NoRows`].
pub fn check_evaluation_rows(dataset: &Dataset) -> Result<Option<DataNote>, DataError> {
    match only_label(dataset) {
        _ if dataset.is_empty() => Err(DataError::NoRows { split: "eval".to_owned() }),
        Some(label) => Ok(Some(DataNote::OneClass { rows: dataset.len(), label: label.to_owned() })),
        None => Ok(None),
    }
}

/// The label of all rows, if there is just one.
fn only_label(dataset: &Dataset) -> Option<&str> {
    let first = dataset.examples.first()?.label;
    let is_only = dataset.examples.iter().all(|example| example.label == first);
    is_only.then(|| dataset.labels.names()[first].as_str())
}
