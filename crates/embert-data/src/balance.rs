//! Class balance: the number of rows of each label, and errors for data with fewer than two classes.

use std::fmt;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::formatting::shortened;
use crate::note::DataNote;

/// The number of rows of each label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassBalance {
    /// The names of the labels, by id.
    pub names: Vec<String>,
    /// The number of rows of each label, by id.
    pub counts: Vec<usize>,
}

impl ClassBalance {
    /// Counts the rows of each label in a dataset.
    pub fn of(dataset: &Dataset) -> Self {
        Self { names: dataset.labels.names().to_vec(), counts: dataset.class_counts() }
    }

    /// Returns the number of all rows.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Returns the share of a label in percent; 0 for a dataset without rows.
    ///
    /// # Panics
    ///
    /// Panics if no label has this id.
    pub fn percent(&self, id: usize) -> f64 {
        100.0 * self.counts[id] as f64 / self.total().max(1) as f64
    }
}

/// Writes each label with its rows and share: `neg 512 (51.2 %), pos 488 (48.8 %)`. Lists at most 30 labels.
impl fmt::Display for ClassBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 30;
        let labels = self.names.iter().zip(&self.counts).enumerate();
        let rows = labels.map(|(id, (name, count))| format!("{name} {count} ({:.1} %)", self.percent(id)));
        f.write_str(&shortened(rows, SHOWN))
    }
}

/// Checks that training rows have at least two classes.
///
/// The first rows of a dataset that is sorted by label have only one class.
///
/// # Errors
///
/// [`DataError::OneClass`] if all rows have the same label, and [`DataError::NoRows`].
pub fn require_two_classes(dataset: &Dataset) -> Result<(), DataError> {
    match only_label(dataset) {
        _ if dataset.is_empty() => Err(DataError::NoRows { split: "train".to_owned() }),
        Some(label) => Err(DataError::OneClass { rows: dataset.len(), label: label.to_owned() }),
        None => Ok(()),
    }
}

/// Checks evaluation rows; returns a note if all rows have the same label.
///
/// # Errors
///
/// [`DataError::NoRows`] if there are no rows.
pub fn check_evaluation_rows(dataset: &Dataset) -> Result<Option<DataNote>, DataError> {
    match only_label(dataset) {
        _ if dataset.is_empty() => Err(DataError::NoRows { split: "eval".to_owned() }),
        Some(label) => Ok(Some(DataNote::OneClass { rows: dataset.len(), label: label.to_owned() })),
        None => Ok(None),
    }
}

/// Returns the label that all rows share.
fn only_label(dataset: &Dataset) -> Option<&str> {
    let first = dataset.examples.first()?.target.label()?;
    let is_only = dataset.examples.iter().all(|example| example.target.label() == Some(first));
    is_only.then(|| dataset.labels.names()[first].as_str())
}
