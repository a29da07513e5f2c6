//! The metrics of an evaluation, for each problem type.

mod class_scores;
mod classification_means;
mod multi_label;
mod ranking;
mod regression;
mod single_label;
mod thresholds;

use embert_model::ProblemType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use class_scores::{ClassScores, LabelScores};
pub use multi_label::MultiLabelMetrics;
pub use regression::{RegressionMetrics, TargetScores};
pub use single_label::SingleLabelMetrics;
pub use thresholds::fit_thresholds;

use crate::targets::Targets;

/// The metrics of one evaluation. Serialized keys begin with `eval_`, as in transformers' logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metrics {
    /// Of single-label classification.
    SingleLabel(SingleLabelMetrics),
    /// Of multi-label classification.
    MultiLabel(MultiLabelMetrics),
    /// Of regression.
    Regression(RegressionMetrics),
}

/// Options of the metrics. Default: neither.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MetricOptions<'a> {
    /// The label of F1, precision and recall in single-label classification. `None`: label 1 of two labels, the macro
    /// mean of more.
    pub pos_label: Option<usize>,
    /// The decision threshold of each label in multi-label classification. `None`: 0.5 for all labels.
    pub thresholds: Option<&'a [f32]>,
}

impl Metrics {
    /// Computes the metrics of logits `[rows][num_labels]` with one target for each row.
    ///
    /// # Panics
    /// If the numbers of rows, labels, targets or thresholds differ.
    pub fn new(logits: &[Vec<f32>], targets: &Targets, options: MetricOptions<'_>) -> Self {
        match targets {
            Targets::Labels(labels) => {
                Self::SingleLabel(SingleLabelMetrics::from_logits(logits, labels, options.pos_label))
            }
            Targets::MultiHot(targets) => {
                Self::MultiLabel(MultiLabelMetrics::from_logits(logits, targets, options.thresholds))
            }
            Targets::Values(values) => Self::Regression(RegressionMetrics::from_values(logits, values)),
        }
    }

    /// Returns the problem type that has these metrics.
    pub fn problem_type(&self) -> ProblemType {
        match self {
            Self::SingleLabel(_) => ProblemType::SingleLabelClassification,
            Self::MultiLabel(_) => ProblemType::MultiLabelClassification,
            Self::Regression(_) => ProblemType::Regression,
        }
    }

    /// Returns the mean loss, without label smoothing, weights or focal loss.
    pub fn loss(&self) -> f64 {
        match self {
            Self::SingleLabel(metrics) => metrics.loss,
            Self::MultiLabel(metrics) => metrics.loss,
            Self::Regression(metrics) => metrics.loss,
        }
    }

    /// Returns the metrics of single-label classification.
    pub fn single_label(&self) -> Option<&SingleLabelMetrics> {
        if let Self::SingleLabel(metrics) = self { Some(metrics) } else { None }
    }

    /// Returns the metrics of multi-label classification.
    pub fn multi_label(&self) -> Option<&MultiLabelMetrics> {
        if let Self::MultiLabel(metrics) = self { Some(metrics) } else { None }
    }

    /// Returns the metrics of regression.
    pub fn regression(&self) -> Option<&RegressionMetrics> {
        if let Self::Regression(metrics) = self { Some(metrics) } else { None }
    }

    /// Returns the value of a metric by its name, with or without `eval_`. `None` if the problem type has no such metric
    /// or its value is undefined.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.to_object().get(&with_prefix(name))?.as_f64()
    }

    /// Returns the label that all predictions have, in single-label classification with several labels.
    pub fn only_predicted_label(&self) -> Option<usize> {
        self.single_label()?.only_predicted_label()
    }

    /// Returns true for the metrics of an evaluation, false for those of a log line, which has only the numbers.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::SingleLabel(metrics) => !metrics.confusion_matrix.is_empty(),
            Self::MultiLabel(metrics) => !metrics.label_scores.is_empty(),
            Self::Regression(metrics) => !metrics.target_scores.is_empty(),
        }
    }

    /// Returns the names of the metrics of a problem type, with `eval_`.
    pub(crate) fn names(problem_type: ProblemType) -> Vec<String> {
        let empty = match problem_type {
            ProblemType::SingleLabelClassification => Self::SingleLabel(SingleLabelMetrics::default()),
            ProblemType::MultiLabelClassification => Self::MultiLabel(MultiLabelMetrics::default()),
            ProblemType::Regression => Self::Regression(RegressionMetrics::default()),
        };
        empty.to_object().into_iter().map(|(name, _)| name).collect()
    }

    /// Returns the key of `eval_results.json` and the scores of each label or target, by name.
    pub(crate) fn per_label(&self, names: &[String]) -> (&'static str, Map<String, Value>) {
        fn named(names: &[String], scores: &[impl Serialize]) -> Map<String, Value> {
            let scores = scores.iter().map(|scores| to_object(scores).into());
            names.iter().cloned().zip(scores).collect()
        }
        match self {
            Self::SingleLabel(metrics) => ("eval_per_class", named(names, &metrics.class_scores())),
            Self::MultiLabel(metrics) => ("eval_per_class", named(names, &metrics.label_scores)),
            Self::Regression(metrics) => ("eval_per_target", named(names, &metrics.target_scores)),
        }
    }

    /// Returns what a log line does not have.
    pub(crate) fn details(&self) -> MetricDetails {
        match self {
            Self::SingleLabel(metrics) => MetricDetails::ConfusionMatrix(metrics.confusion_matrix.clone()),
            Self::MultiLabel(metrics) => MetricDetails::Labels(metrics.label_scores.clone()),
            Self::Regression(metrics) => MetricDetails::Targets(metrics.target_scores.clone()),
        }
    }

    /// Adds what a log line does not have.
    pub(crate) fn restore(&mut self, details: MetricDetails) {
        match (self, details) {
            (Self::SingleLabel(metrics), MetricDetails::ConfusionMatrix(matrix)) => metrics.restore(matrix),
            (Self::MultiLabel(metrics), MetricDetails::Labels(scores)) => metrics.label_scores = scores,
            (Self::Regression(metrics), MetricDetails::Targets(scores)) => metrics.target_scores = scores,
            _ => {} // not from a run
        }
    }

    fn to_object(&self) -> Map<String, Value> {
        to_object(self)
    }
}

/// The part of [`Metrics`] that log lines do not have. A checkpoint saves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum MetricDetails {
    ConfusionMatrix(Vec<Vec<u64>>),
    Labels(Vec<LabelScores>),
    Targets(Vec<TargetScores>),
}

/// Returns the name of a metric in the log: `eval_` and the name.
pub(crate) fn with_prefix(name: &str) -> String {
    format!("eval_{}", name.strip_prefix("eval_").unwrap_or(name))
}

/// Serializes a struct of numbers.
pub(crate) fn to_object(numbers: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(numbers) {
        Ok(Value::Object(object)) => object,
        other => unreachable!("a struct is a JSON object, not {other:?}"),
    }
}

/// A division by zero gives 0.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { 0.0 } else { numerator / denominator }
}
