//! The values of `metric_for_best_model`.

use std::fmt;

use embert_model::ProblemType;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::metrics::{Metrics, with_prefix};

/// The metric that decides which model is the best, by its name in the log, with or without `eval_`.
///
/// Each problem type has its own metrics. [`check`](crate::check) fails for a metric of another problem type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BestModelMetric {
    /// Mean loss; lower is better.
    #[serde(alias = "eval_loss")]
    Loss,
    /// Share of correct predictions; with several labels, of examples with all labels right.
    #[serde(alias = "eval_accuracy")]
    Accuracy,
    /// F1 of the positive label, or the macro mean of more than two labels.
    #[serde(alias = "eval_f1")]
    F1,
    /// Precision of the positive label, or the macro mean of more than two labels.
    #[serde(alias = "eval_precision")]
    Precision,
    /// Recall of the positive label, or the macro mean of more than two labels.
    #[serde(alias = "eval_recall")]
    Recall,
    /// Macro mean of F1.
    #[serde(alias = "eval_f1_macro")]
    F1Macro,
    /// Mean precision, weighted by the number of examples of each label.
    #[serde(alias = "eval_precision_weighted")]
    PrecisionWeighted,
    /// Mean recall, weighted by the number of examples of each label.
    #[serde(alias = "eval_recall_weighted")]
    RecallWeighted,
    /// Mean F1, weighted by the number of examples of each label.
    #[serde(alias = "eval_f1_weighted")]
    F1Weighted,
    /// Matthews' correlation.
    #[serde(alias = "eval_matthews_correlation")]
    MatthewsCorrelation,
    /// Area under the ROC curve; an undefined value is never the best.
    #[serde(alias = "eval_roc_auc")]
    RocAuc,
    /// F1 of all decisions of a multi-label model.
    #[serde(alias = "eval_f1_micro")]
    F1Micro,
    /// Mean F1 over the examples of a multi-label model.
    #[serde(alias = "eval_f1_samples")]
    F1Samples,
    /// Precision of all decisions of a multi-label model.
    #[serde(alias = "eval_precision_micro")]
    PrecisionMicro,
    /// Mean precision over the labels of a multi-label model.
    #[serde(alias = "eval_precision_macro")]
    PrecisionMacro,
    /// Recall of all decisions of a multi-label model.
    #[serde(alias = "eval_recall_micro")]
    RecallMicro,
    /// Mean recall over the labels of a multi-label model.
    #[serde(alias = "eval_recall_macro")]
    RecallMacro,
    /// Share of examples with all labels right.
    #[serde(alias = "eval_subset_accuracy")]
    SubsetAccuracy,
    /// Share of wrong decisions of a multi-label model; lower is better.
    #[serde(alias = "eval_hamming_loss")]
    HammingLoss,
    /// Mean average precision over the labels of a multi-label model.
    #[serde(alias = "eval_average_precision")]
    AveragePrecision,
    /// Mean squared error; lower is better.
    #[serde(alias = "eval_mse")]
    Mse,
    /// Mean absolute error; lower is better.
    #[serde(alias = "eval_mae")]
    Mae,
    /// Root of the mean squared error; lower is better.
    #[serde(alias = "eval_rmse")]
    Rmse,
    /// Coefficient of determination; an undefined value is never the best.
    #[serde(alias = "eval_r2")]
    R2,
    /// Pearson's correlation; an undefined value is never the best.
    #[serde(alias = "eval_pearson")]
    Pearson,
    /// Spearman's correlation; an undefined value is never the best.
    #[serde(alias = "eval_spearman")]
    Spearman,
}

/// Writes the name in the log, such as `eval_loss`.
impl fmt::Display for BestModelMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("eval_")?;
        self.serialize(f)
    }
}

impl BestModelMetric {
    /// Returns true if a greater value is better: false for losses and errors.
    pub fn greater_is_better(self) -> bool {
        !matches!(self, Self::Loss | Self::HammingLoss | Self::Mse | Self::Mae | Self::Rmse)
    }

    /// Returns the value; NaN if it is undefined.
    pub(crate) fn of(self, metrics: &Metrics) -> f64 {
        metrics.value(&self.to_string()).unwrap_or(f64::NAN)
    }

    /// Fails if the problem type does not have the metric.
    pub(crate) fn check(self, problem_type: ProblemType) -> Result<(), TrainError> {
        let (metric, metrics) = (with_prefix(&self.to_string()), Metrics::names(problem_type));
        if metrics.contains(&metric) {
            return Ok(());
        }
        Err(TrainError::UnknownMetric { metric, problem_type, metrics })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MetricOptions, Targets};

    fn all() -> [Metrics; 3] {
        let logits = [vec![2.0, 0.0], vec![1.0, -0.5], vec![0.0, 3.0]];
        let targets = [
            Targets::Labels(vec![0, 1, 1]),
            Targets::MultiHot(vec![vec![true, false], vec![false, true], vec![true, true]]),
            Targets::Values(vec![vec![1.0, 0.5], vec![0.0, 2.0], vec![-1.0, 3.0]]),
        ];
        targets.map(|targets| Metrics::new(&logits, &targets, MetricOptions::default()))
    }

    #[test]
    fn every_metric_of_each_problem_type_reads_its_own_value() {
        for metrics in all() {
            let values = serde_json::to_value(&metrics).unwrap();
            let names = values.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(names, Metrics::names(metrics.problem_type()));
            for (name, value) in values.as_object().unwrap() {
                for name in [name.as_str(), name.strip_prefix("eval_").unwrap()] {
                    let metric: BestModelMetric = serde_json::from_value(name.into()).unwrap();
                    assert_eq!(metric.of(&metrics), value.as_f64().unwrap(), "{name}");
                    assert_eq!(format!("eval_{}", name.trim_start_matches("eval_")), metric.to_string());
                    assert!(metric.check(metrics.problem_type()).is_ok());
                }
            }
        }
    }

    #[test]
    fn a_metric_of_another_problem_type_is_an_error() {
        use ProblemType::{MultiLabelClassification, Regression, SingleLabelClassification};
        for (metric, problem_type) in [
            (BestModelMetric::Pearson, SingleLabelClassification),
            (BestModelMetric::F1, MultiLabelClassification),
            (BestModelMetric::MatthewsCorrelation, MultiLabelClassification),
            (BestModelMetric::Accuracy, Regression),
        ] {
            let error = metric.check(problem_type).unwrap_err().to_string();
            let expected = format!(
                "metric_for_best_model is {metric}, which {problem_type} does not have; its metrics are eval_loss"
            );
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn losses_and_errors_are_better_if_lower() {
        let lower = ["eval_loss", "hamming_loss", "mse", "mae", "rmse"];
        for metrics in all() {
            for name in Metrics::names(metrics.problem_type()) {
                let metric: BestModelMetric = serde_json::from_value(name.as_str().into()).unwrap();
                let is_lower = lower.iter().any(|lower| with_prefix(lower) == name);
                assert_eq!(metric.greater_is_better(), !is_lower, "{name}");
            }
        }
    }
}
