//! Means of scores over labels: Σ w·x / Σ w.

use super::class_scores::ClassScores;
use super::ratio;

/// Returns the mean of precision, recall and F1, and the sum of the supports.
fn mean_of(scores: &[ClassScores], weight: fn(&ClassScores) -> f64) -> ClassScores {
    let total = scores.iter().map(weight).sum();
    let mean = |of: fn(&ClassScores) -> f64| ratio(scores.iter().map(|s| weight(s) * of(s)).sum(), total);
    let support = scores.iter().map(|s| s.support).sum();
    ClassScores { precision: mean(|s| s.precision), recall: mean(|s| s.recall), f1: mean(|s| s.f1), support }
}

/// scikit-learn's `average="macro"`, over these labels.
pub(super) fn macro_mean(scores: &[ClassScores]) -> ClassScores {
    mean_of(scores, |_| 1.0)
}

/// scikit-learn's `average="weighted"`.
pub(super) fn weighted_mean(scores: &[ClassScores]) -> ClassScores {
    mean_of(scores, |scores| scores.support as f64)
}
