//! Decision thresholds that maximize F1 = 2·TP / (2·TP + FP + FN) of each label.

use embert_inference::{DEFAULT_THRESHOLD, sigmoids};

/// Returns the decision threshold of each label with the highest F1 on these examples.
///
/// A threshold is the middle between two neighbouring scores σ(logit), or half of the lowest one. So the predictions of
/// these examples do not depend on rounding. Of several thresholds with the same F1, it is the one closest to 0.5, and of
/// two equally close ones the higher one. A label without examples gets 0.5.
///
/// Choose thresholds on validation examples; on the examples of a test, F1 would be too optimistic.
///
/// # Panics
/// If the number of rows differs, or a row of `targets` is shorter than its logits.
pub fn fit_thresholds(logits: &[Vec<f32>], targets: &[Vec<bool>]) -> Vec<f32> {
    assert_eq!(logits.len(), targets.len(), "one target for each row of logits");
    let num_labels = logits.first().map_or(0, Vec::len);
    let scores = logits.iter().map(|row| sigmoids(row)).collect::<Vec<_>>();
    let of_label = |label: usize| {
        let rows = scores.iter().zip(targets).map(|(scores, targets)| (scores[label], targets[label]));
        best_threshold(rows.collect())
    };
    (0..num_labels).map(of_label).collect()
}

/// `rows` has the score of each example and its target.
fn best_threshold(mut rows: Vec<(f32, bool)>) -> f32 {
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let gold = rows.iter().filter(|row| row.1).count();
    let (mut best, mut right, mut predicted) =
        (Candidate { right: 0, total: 1, score: DEFAULT_THRESHOLD }, 0, 0);
    for ties in rows.chunk_by(|a, b| a.0 == b.0) {
        right += ties.iter().filter(|row| row.1).count();
        predicted += ties.len();
        let next = rows.get(predicted).map_or(0.0, |row| row.0);
        let middle = (ties[0].0 + next) / 2.0;
        let score = if middle > next { middle } else { ties[0].0 };
        let candidate = Candidate { right, total: gold + predicted, score };
        if candidate.is_better_than(&best) {
            best = candidate;
        }
    }
    best.score
}

/// A threshold. Its F1 is 2·right / total.
struct Candidate {
    right: usize,
    total: usize,
    score: f32,
}

impl Candidate {
    /// Compares the fractions exactly.
    fn is_better_than(&self, other: &Self) -> bool {
        let (f1, other_f1) =
            (self.right as u128 * other.total as u128, other.right as u128 * self.total as u128);
        let distance = |candidate: &Self| (candidate.score - DEFAULT_THRESHOLD).abs();
        f1 > other_f1 || f1 == other_f1 && self.right > 0 && distance(self) < distance(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The logit with this probability.
    fn logit(probability: f32) -> f32 {
        (probability / (1.0 - probability)).ln()
    }

    #[track_caller]
    fn check(probabilities: &[f32], targets: &[u8], expected: f32) {
        let logits = probabilities.iter().map(|&probability| vec![logit(probability)]).collect::<Vec<_>>();
        let targets = targets.iter().map(|&target| vec![target == 1]).collect::<Vec<_>>();
        let found = fit_thresholds(&logits, &targets);
        assert!((found[0] - expected).abs() < 1e-6, "{found:?}, not {expected}");
    }

    #[test]
    fn ties_choose_the_threshold_closest_to_one_half() {
        check(&[0.9, 0.2, 0.1], &[1, 1, 0], 0.15); // F1 1
        check(&[0.9, 0.8, 0.7], &[1, 0, 0], 0.85);
        check(&[0.9, 0.6, 0.3, 0.2], &[1, 0, 0, 1], 0.75); // F1 2/3 at 0.75 and at 0.1
        check(&[0.9, 0.2], &[1, 1], 0.1);
    }

    #[test]
    fn a_label_without_examples_keeps_one_half() {
        check(&[0.9, 0.6], &[0, 0], 0.5);
        assert!(fit_thresholds(&[], &[]).is_empty());
    }

    #[test]
    fn the_best_threshold_predicts_its_own_example() {
        let logits = (0..40).map(|row| vec![(row as f32 * 0.7).sin()]).collect::<Vec<_>>();
        let targets = (0..40).map(|row| vec![row % 3 == 0]).collect::<Vec<_>>();
        let threshold = fit_thresholds(&logits, &targets)[0];
        let f1 = |threshold: f32| {
            let metrics = crate::MultiLabelMetrics::from_logits(&logits, &targets, Some(&[threshold]));
            metrics.f1_macro
        };
        let best = logits.iter().map(|row| f1(sigmoids(row)[0])).fold(0.0, f64::max);
        assert_eq!(f1(threshold), best);
    }
}
