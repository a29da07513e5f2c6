//! Balance of a dataset: the rows of each label, or the distribution of each target; and checks of training rows.

use std::fmt;

use crate::dataset::{Dataset, Example};
use crate::error::DataError;
use crate::formatting::{quoted, shortened};
use crate::note::DataNote;
use crate::problem_type::ProblemType;

/// The number of rows of each label. For regression, the distribution of each target.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassBalance {
    /// The names of the labels, by id.
    pub names: Vec<String>,
    /// The number of rows that have each label, by id. With several labels per row, their sum is not the number of rows.
    pub counts: Vec<usize>,
    /// The number of all rows.
    pub rows: usize,
    /// The number of rows without any label, for multi-label classification.
    pub without_label: usize,
    /// The distribution of each target, for regression.
    pub targets: Vec<TargetStatistics>,
}

/// The distribution of one target of a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetStatistics {
    /// The smallest number.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The largest number.
    pub max: f64,
    /// The standard deviation √(Σ(x − mean)² / (n − 1)), as in pandas; 0 for one row.
    pub std: f64,
}

impl TargetStatistics {
    /// Computes the distribution of some numbers; `None` if there are none.
    fn of(numbers: &[f64]) -> Option<Self> {
        let (count, first) = (numbers.len() as f64, *numbers.first()?);
        let mean = numbers.iter().sum::<f64>() / count;
        let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
        Some(Self {
            min: numbers.iter().copied().fold(first, f64::min),
            mean,
            max: numbers.iter().copied().fold(first, f64::max),
            std: (squares / (count - 1.0).max(1.0)).sqrt(),
        })
    }
}

impl ClassBalance {
    /// Counts the rows of each label in a dataset.
    pub fn of(dataset: &Dataset) -> Self {
        let is_multi = dataset.problem_type == ProblemType::MultiLabelClassification;
        let has_none = |example: &&Example| is_multi && example.target.label_ids().is_empty();
        let of_target = |id| {
            let numbers = dataset.examples.iter().filter_map(|example| example.target.values().get(id));
            TargetStatistics::of(&numbers.map(|number| f64::from(*number)).collect::<Vec<_>>())
        };
        Self {
            names: dataset.labels.names().to_vec(),
            counts: dataset.class_counts(),
            rows: dataset.len(),
            without_label: dataset.examples.iter().filter(has_none).count(),
            targets: (0..dataset.labels.len()).filter_map(of_target).collect(),
        }
    }

    /// Returns the number of all rows.
    pub fn total(&self) -> usize {
        self.rows
    }

    /// Returns the share of rows that have a label in percent; 0 for a dataset without rows.
    ///
    /// # Panics
    ///
    /// Panics if no label has this id.
    pub fn percent(&self, id: usize) -> f64 {
        self.share(self.counts[id])
    }

    fn share(&self, count: usize) -> f64 {
        100.0 * count as f64 / self.rows.max(1) as f64
    }
}

/// Writes each label with its rows and share: `neg 512 (51.2 %), pos 488 (48.8 %)`. Lists at most 30 labels.
///
/// Writes each target with its distribution: `LABEL_0 0 to 5 (mean 2.7, std 1.5)`.
impl fmt::Display for ClassBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 30;
        if !self.targets.is_empty() {
            let targets = self.names.iter().zip(&self.targets).map(|(name, target)| {
                let TargetStatistics { min, mean, max, std } = target;
                format!("{name} {min} to {max} (mean {}, std {})", rounded(*mean), rounded(*std))
            });
            return f.write_str(&shortened(targets, SHOWN));
        }
        let row = |name: &str, count: usize| format!("{name} {count} ({:.1} %)", self.share(count));
        let labels = self.names.iter().zip(&self.counts).map(|(name, &count)| row(name, count));
        f.write_str(&shortened(labels, SHOWN))?;
        match self.without_label {
            0 => Ok(()),
            count => write!(f, ", {}", row("no label", count)),
        }
    }
}

/// Rounds to three decimals.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Checks that a model can learn from training rows: single-label rows need two classes, multi-label rows a label.
///
/// The first rows of a dataset that is sorted by label have only one class. The note names labels without rows, or a
/// target that is the same number in all rows.
///
/// # Errors
///
/// [`DataError::OneClass`] if all rows have the same label, [`DataError::AllUnlabelled`] if no row has any label, and
/// [`DataError::NoRows`].
pub fn require_two_classes(dataset: &Dataset) -> Result<Option<DataNote>, DataError> {
    if dataset.is_empty() {
        return Err(DataError::NoRows { split: "train".to_owned() });
    }
    let rows = dataset.len();
    match (dataset.problem_type, only_label(dataset)) {
        (_, Some(label)) => Err(DataError::OneClass { rows, label: label.to_owned() }),
        (ProblemType::MultiLabelClassification, _)
            if dataset.class_counts().iter().all(|count| *count == 0) =>
        {
            Err(DataError::AllUnlabelled { path: "train".into(), rows })
        }
        _ => Ok(unlearnable(dataset, "train")),
    }
}

/// Checks evaluation rows; returns a note if all rows have the same label, or if a label or a target is constant.
///
/// # Errors
///
/// [`DataError::NoRows`] if there are no rows.
pub fn check_evaluation_rows(dataset: &Dataset) -> Result<Option<DataNote>, DataError> {
    match only_label(dataset) {
        _ if dataset.is_empty() => Err(DataError::NoRows { split: "eval".to_owned() }),
        Some(label) => Ok(Some(DataNote::OneClass { rows: dataset.len(), label: label.to_owned() })),
        None => Ok(unlearnable(dataset, "eval")),
    }
}

/// Returns a note about multi-label labels without rows, or about targets that are one number.
fn unlearnable(dataset: &Dataset, split: &'static str) -> Option<DataNote> {
    let (rows, names) = (dataset.len(), dataset.labels.names());
    match dataset.problem_type {
        ProblemType::SingleLabelClassification => None,
        ProblemType::MultiLabelClassification => {
            let counts = dataset.class_counts();
            let without =
                names.iter().zip(counts).filter(|(_, count)| *count == 0).map(|(name, _)| name.as_str());
            let without = without.collect::<Vec<_>>();
            (!without.is_empty()).then(|| DataNote::LabelsWithoutRows {
                split,
                rows,
                labels: quoted(without),
            })
        }
        ProblemType::Regression => {
            let targets = ClassBalance::of(dataset).targets;
            let (name, target) = names.iter().zip(targets).find(|(_, target)| target.min == target.max)?;
            Some(DataNote::ConstantTarget {
                split,
                rows,
                target: name.clone(),
                value: target.min.to_string(),
            })
        }
    }
}

/// Returns the label that all rows share, if each row has one label.
fn only_label(dataset: &Dataset) -> Option<&str> {
    let first = dataset.examples.first()?.target.label()?;
    let is_only = dataset.examples.iter().all(|example| example.target.label() == Some(first));
    is_only.then(|| dataset.labels.names()[first].as_str())
}
