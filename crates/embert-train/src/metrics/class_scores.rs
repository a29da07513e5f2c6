//! Precision = TP / (TP + FP), recall = TP / (TP + FN) and F1 = 2·TP / (2·TP + FP + FN) of one label.

use serde::{Deserialize, Serialize};

use super::ratio;

/// The scores of one label, as in scikit-learn's `classification_report` with `zero_division=0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// True positives / predicted positives.
    pub precision: f64,
    /// True positives / examples with the label.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Number of examples with the label.
    pub support: u64,
}

impl ClassScores {
    /// Computes the scores from the numbers of true positives, of examples with the label and of predictions of it.
    pub(super) fn from_counts(right: u64, gold: u64, predicted: u64) -> Self {
        Self {
            precision: ratio(right as f64, predicted as f64),
            recall: ratio(right as f64, gold as f64),
            f1: ratio(2.0 * right as f64, (gold + predicted) as f64),
            support: gold,
        }
    }
}

/// The scores of one label of a multi-label model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelScores {
    /// Precision, recall, F1 and support at the decision threshold.
    #[serde(flatten)]
    pub scores: ClassScores,
    /// Area under the ROC curve; `None` if all examples have the label, or none.
    pub roc_auc: Option<f64>,
    /// Average precision; 0 if no example has the label.
    pub average_precision: f64,
}
