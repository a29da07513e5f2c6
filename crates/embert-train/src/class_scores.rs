//! Precision, recall and F1 of one label.

use serde::Serialize;

/// The scores of one label, as scikit-learn's `classification_report` counts them. A division by zero counts as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ClassScores {
    /// The share of the examples predicted to have the label that have it.
    pub precision: f64,
    /// The share of the examples with the label that are predicted to have it.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The number of examples with the label.
    pub support: u64,
}
