//! Multi-label metrics as in scikit-learn: micro, macro, weighted and sample means of precision, recall and F1, subset
//! accuracy, Hamming loss, ROC AUC and average precision.

use embert_inference::{log_sigmoid, predicted_labels};
use serde::{Deserialize, Serialize};

use super::class_scores::{ClassScores, LabelScores};
use super::classification_means::{macro_mean, weighted_mean};
use super::ranking::{area_under_roc, average_precision};
use super::ratio;

/// The metrics of a multi-label classifier. A division by zero gives 0.
///
/// A label is predicted if its probability σ(logit) is at least its threshold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MultiLabelMetrics {
    /// Mean binary cross-entropy in nats over examples and labels, without weights.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// Subset accuracy, under the name of `run_classification.py`.
    #[serde(rename = "eval_accuracy")]
    pub accuracy: f64,
    /// F1 of all decisions together.
    #[serde(rename = "eval_f1_micro")]
    pub f1_micro: f64,
    /// Mean F1 over the labels.
    #[serde(rename = "eval_f1_macro")]
    pub f1_macro: f64,
    /// Mean F1 over the examples.
    #[serde(rename = "eval_f1_samples")]
    pub f1_samples: f64,
    /// Mean F1 over the labels, weighted by the number of examples of each label.
    #[serde(rename = "eval_f1_weighted")]
    pub f1_weighted: f64,
    /// Precision of all decisions together.
    #[serde(rename = "eval_precision_micro")]
    pub precision_micro: f64,
    /// Mean precision over the labels.
    #[serde(rename = "eval_precision_macro")]
    pub precision_macro: f64,
    /// Recall of all decisions together.
    #[serde(rename = "eval_recall_micro")]
    pub recall_micro: f64,
    /// Mean recall over the labels.
    #[serde(rename = "eval_recall_macro")]
    pub recall_macro: f64,
    /// Share of examples with all labels right.
    #[serde(rename = "eval_subset_accuracy")]
    pub subset_accuracy: f64,
    /// Share of wrong decisions.
    #[serde(rename = "eval_hamming_loss")]
    pub hamming_loss: f64,
    /// Mean area under the ROC curve over the labels. `None` if it is undefined for a label.
    #[serde(rename = "eval_roc_auc")]
    pub roc_auc: Option<f64>,
    /// Mean average precision over the labels.
    #[serde(rename = "eval_average_precision")]
    pub average_precision: f64,
    /// The scores of each label, by id.
    #[serde(skip)]
    pub label_scores: Vec<LabelScores>,
}

/// Numbers of decisions: right positive ones, gold and predicted labels.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    right: u64,
    gold: u64,
    predicted: u64,
}

impl Counts {
    fn add(&mut self, target: bool, predicted: bool) {
        self.right += u64::from(target && predicted);
        self.gold += u64::from(target);
        self.predicted += u64::from(predicted);
    }

    fn scores(self) -> ClassScores {
        ClassScores::from_counts(self.right, self.gold, self.predicted)
    }

    fn wrong(self) -> u64 {
        self.gold + self.predicted - 2 * self.right
    }
}

impl MultiLabelMetrics {
    /// Computes the metrics of logits `[rows][num_labels]`. `thresholds` are by label id; `None` is 0.5 for all labels.
    ///
    /// # Panics
    /// If the numbers of rows, labels, targets or thresholds differ.
    pub fn from_logits(logits: &[Vec<f32>], targets: &[Vec<bool>], thresholds: Option<&[f32]>) -> Self {
        assert_eq!(logits.len(), targets.len(), "one target for each row of logits");
        let num_labels = logits.first().map_or(0, Vec::len);
        let (labels, rows) = counts(logits, targets, thresholds, num_labels);
        let label_scores = label_scores(logits, targets, &labels);
        let scores = labels.iter().map(|counts| counts.scores()).collect::<Vec<_>>();
        let (micro, macro_mean) = (total(&labels).scores(), macro_mean(&scores));
        let right_rows = rows.iter().filter(|counts| counts.wrong() == 0).count();
        let num_rows = logits.len() as f64;
        let num_decisions = num_rows * num_labels as f64;
        let subset_accuracy = ratio(right_rows as f64, num_rows);
        Self {
            loss: ratio(binary_cross_entropy(logits, targets), num_decisions),
            accuracy: subset_accuracy,
            f1_micro: micro.f1,
            f1_macro: macro_mean.f1,
            f1_samples: ratio(rows.iter().map(|counts| counts.scores().f1).sum(), num_rows),
            f1_weighted: weighted_mean(&scores).f1,
            precision_micro: micro.precision,
            precision_macro: macro_mean.precision,
            recall_micro: micro.recall,
            recall_macro: macro_mean.recall,
            subset_accuracy,
            hamming_loss: ratio(total(&labels).wrong() as f64, num_decisions),
            roc_auc: mean_roc_auc(&label_scores),
            average_precision: ratio(
                label_scores.iter().map(|scores| scores.average_precision).sum(),
                num_labels as f64,
            ),
            label_scores,
        }
    }
}

/// Returns the counts of each label, and of each row.
fn counts(
    logits: &[Vec<f32>],
    targets: &[Vec<bool>],
    thresholds: Option<&[f32]>,
    num_labels: usize,
) -> (Vec<Counts>, Vec<Counts>) {
    let mut labels = vec![Counts::default(); num_labels];
    let mut rows = vec![Counts::default(); logits.len()];
    for ((row, logits), targets) in rows.iter_mut().zip(logits).zip(targets) {
        let mut predicted = vec![false; num_labels];
        predicted_labels(logits, thresholds).into_iter().for_each(|label| predicted[label] = true);
        for label in 0..num_labels {
            labels[label].add(targets[label], predicted[label]);
            row.add(targets[label], predicted[label]);
        }
    }
    (labels, rows)
}

fn total(labels: &[Counts]) -> Counts {
    let sum = |of: fn(&Counts) -> u64| labels.iter().map(of).sum();
    Counts { right: sum(|c| c.right), gold: sum(|c| c.gold), predicted: sum(|c| c.predicted) }
}

fn label_scores(logits: &[Vec<f32>], targets: &[Vec<bool>], counts: &[Counts]) -> Vec<LabelScores> {
    let of_label = |(label, counts): (usize, &Counts)| {
        // The logits have the order of the probabilities, and do not saturate at 1.
        let scores = logits.iter().map(|row| f64::from(row[label])).collect::<Vec<_>>();
        let is_positive = |row: usize| targets[row][label];
        LabelScores {
            scores: counts.scores(),
            roc_auc: area_under_roc(&scores, is_positive),
            average_precision: average_precision(&scores, is_positive),
        }
    };
    counts.iter().enumerate().map(of_label).collect()
}

fn mean_roc_auc(labels: &[LabelScores]) -> Option<f64> {
    let sum = labels.iter().map(|scores| scores.roc_auc).sum::<Option<f64>>()?;
    (!labels.is_empty()).then(|| sum / labels.len() as f64)
}

/// Returns −Σ y·log σ(x) + (1 − y)·log σ(−x).
fn binary_cross_entropy(logits: &[Vec<f32>], targets: &[Vec<bool>]) -> f64 {
    let decisions = logits.iter().flatten().zip(targets.iter().flatten());
    decisions.map(|(&logit, &target)| -log_sigmoid(if target { logit } else { -logit })).sum()
}
