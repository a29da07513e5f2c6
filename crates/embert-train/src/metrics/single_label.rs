//! Single-label metrics as in scikit-learn: loss, accuracy, precision, recall, F1, Matthews' correlation, ROC AUC.

use embert_inference::{log_softmax, predicted_label};
use serde::{Deserialize, Serialize};

use super::class_scores::ClassScores;
use super::ranking::area_under_roc;
use super::{classification_means, ratio};

/// The metrics of a single-label classifier. A division by zero gives 0.
///
/// F1, precision and recall are those of the positive label. Without one, they are those of label 1 of two labels, or
/// the macro means of more labels. Serialized keys begin with `eval_`. The confusion matrix is not serialized, because
/// scripts for transformers' logs expect numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SingleLabelMetrics {
    /// Mean cross-entropy in nats, without label smoothing or class weights.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// Share of correct predictions.
    #[serde(rename = "eval_accuracy")]
    pub accuracy: f64,
    /// F1 = 2·TP / (2·TP + FP + FN).
    #[serde(rename = "eval_f1")]
    pub f1: f64,
    /// Precision = TP / (TP + FP).
    #[serde(rename = "eval_precision")]
    pub precision: f64,
    /// Recall = TP / (TP + FN).
    #[serde(rename = "eval_recall")]
    pub recall: f64,
    /// Mean F1 over the labels that occur in the gold labels or the predictions.
    #[serde(rename = "eval_f1_macro")]
    pub f1_macro: f64,
    /// Mean precision, weighted by the number of examples of each label.
    #[serde(rename = "eval_precision_weighted", default)]
    pub precision_weighted: f64,
    /// Mean recall, weighted by the number of examples of each label.
    #[serde(rename = "eval_recall_weighted", default)]
    pub recall_weighted: f64,
    /// Mean F1, weighted by the number of examples of each label.
    #[serde(rename = "eval_f1_weighted", default)]
    pub f1_weighted: f64,
    /// Matthews' correlation coefficient, between −1 and 1.
    #[serde(rename = "eval_matthews_correlation")]
    pub matthews_correlation: f64,
    /// Area under the ROC curve of label 1 of two labels, or the macro one-vs-rest mean of more. `None` if a label has
    /// no example.
    #[serde(rename = "eval_roc_auc")]
    pub roc_auc: Option<f64>,
    /// `[i][j]` is the number of examples of label i with prediction j.
    #[serde(skip)]
    pub confusion_matrix: Vec<Vec<u64>>,
}

impl SingleLabelMetrics {
    /// Computes the metrics of logits `[num_examples][num_labels]`.
    ///
    /// # Panics
    /// If the number of rows and labels differ, or a label or `pos_label` has no column.
    pub fn from_logits(logits: &[Vec<f32>], labels: &[usize], pos_label: Option<usize>) -> Self {
        assert_eq!(logits.len(), labels.len(), "one label for each row of logits");
        let num_labels = logits.first().map_or(0, Vec::len);
        let matrix = confusion_matrix(logits, labels, num_labels);
        let (macro_mean, weighted_mean) = (macro_mean(&matrix), weighted_mean(&matrix));
        let positive = match pos_label.or((num_labels == 2).then_some(1)) {
            Some(label) if num_labels > 0 => scores_of(&matrix, label),
            _ => macro_mean,
        };
        let right = (0..num_labels).map(|label| matrix[label][label]).sum::<u64>();
        Self {
            loss: ratio(
                logits.iter().zip(labels).map(|(row, &label)| -log_softmax(row)[label]).sum(),
                count(labels),
            ),
            accuracy: ratio(right as f64, count(labels)),
            f1: positive.f1,
            precision: positive.precision,
            recall: positive.recall,
            f1_macro: macro_mean.f1,
            precision_weighted: weighted_mean.precision,
            recall_weighted: weighted_mean.recall,
            f1_weighted: weighted_mean.f1,
            matthews_correlation: matthews_correlation(&matrix),
            roc_auc: roc_auc(logits, labels, num_labels),
            confusion_matrix: matrix,
        }
    }

    /// Returns the scores of each label, by label id.
    pub fn class_scores(&self) -> Vec<ClassScores> {
        (0..self.confusion_matrix.len()).map(|label| scores_of(&self.confusion_matrix, label)).collect()
    }

    /// Adds the metrics that a saved log line does not have.
    pub(super) fn restore(&mut self, confusion_matrix: Vec<Vec<u64>>) {
        if confusion_matrix.iter().any(|row| row.len() != confusion_matrix.len()) {
            return; // not from a run
        }
        let mean = weighted_mean(&confusion_matrix);
        self.confusion_matrix = confusion_matrix;
        (self.precision_weighted, self.recall_weighted, self.f1_weighted) =
            (mean.precision, mean.recall, mean.f1);
    }

    /// Returns the label that all predictions have, if the examples have several labels.
    pub fn only_predicted_label(&self) -> Option<usize> {
        let matrix = &self.confusion_matrix;
        let occurs = (0..matrix.len()).map(|label| occurrences(matrix, label));
        let (gold, predicted): (Vec<_>, Vec<_>) = occurs.unzip();
        let only = predicted.iter().position(|&count| count > 0)?;
        let is_only = predicted[only + 1..].iter().all(|&count| count == 0);
        (is_only && gold[only] < predicted[only]).then_some(only)
    }
}

fn confusion_matrix(logits: &[Vec<f32>], labels: &[usize], num_labels: usize) -> Vec<Vec<u64>> {
    let mut matrix = vec![vec![0; num_labels]; num_labels];
    for (row, &label) in logits.iter().zip(labels) {
        matrix[label][predicted_label(row)] += 1;
    }
    matrix
}

/// Returns the number of examples with this gold label, and with this prediction.
fn occurrences(matrix: &[Vec<u64>], label: usize) -> (u64, u64) {
    (matrix[label].iter().sum(), matrix.iter().map(|row| row[label]).sum())
}

fn scores_of(matrix: &[Vec<u64>], label: usize) -> ClassScores {
    let (gold, predicted) = occurrences(matrix, label);
    ClassScores::from_counts(matrix[label][label], gold, predicted)
}

/// scikit-learn's `average="macro"`, over the labels that occur.
fn macro_mean(matrix: &[Vec<u64>]) -> ClassScores {
    let occurs = |&label: &usize| occurrences(matrix, label) != (0, 0);
    let scores = (0..matrix.len()).filter(occurs).map(|label| scores_of(matrix, label)).collect::<Vec<_>>();
    classification_means::macro_mean(&scores)
}

/// scikit-learn's `average="weighted"`.
fn weighted_mean(matrix: &[Vec<u64>]) -> ClassScores {
    let scores = (0..matrix.len()).map(|label| scores_of(matrix, label)).collect::<Vec<_>>();
    classification_means::weighted_mean(&scores)
}

/// Returns the correlation of gold and predicted labels as indicator vectors (Gorodkin, 2004).
fn matthews_correlation(matrix: &[Vec<u64>]) -> f64 {
    let (gold, predicted): (Vec<_>, Vec<_>) =
        (0..matrix.len()).map(|label| occurrences(matrix, label)).unzip();
    let dot = |a: &[u64], b: &[u64]| a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum::<f64>();
    let n = gold.iter().sum::<u64>() as f64;
    let right = (0..matrix.len()).map(|label| matrix[label][label]).sum::<u64>() as f64;
    let covariance = n * right - dot(&gold, &predicted);
    let variances = (n * n - dot(&gold, &gold)) * (n * n - dot(&predicted, &predicted));
    ratio(covariance, variances.sqrt())
}

fn roc_auc(logits: &[Vec<f32>], labels: &[usize], num_labels: usize) -> Option<f64> {
    // The difference of the logits has the order of the probabilities, and does not saturate at 1.
    if num_labels == 2 {
        let scores = logits.iter().map(|row| f64::from(row[1]) - f64::from(row[0])).collect::<Vec<_>>();
        return area_under_roc(&scores, |row| labels[row] == 1);
    }
    let log_probabilities = logits.iter().map(|row| log_softmax(row)).collect::<Vec<_>>();
    let areas = (0..num_labels).map(|label| {
        let scores = log_probabilities.iter().map(|row| row[label]).collect::<Vec<_>>();
        area_under_roc(&scores, |row| labels[row] == label)
    });
    Some(areas.sum::<Option<f64>>()? / num_labels as f64)
}

fn count(labels: &[usize]) -> f64 {
    labels.len() as f64
}
