//! Precision, recall and F1 of one label.

use serde::Serialize;

/// The scores of one label, as in scikit-learn's `classification_report` with `zero_division=0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
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
