//! The values of `metric_for_best_model`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;

/// The metric that decides which model is the best, by its name in the log, with or without `eval_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BestModelMetric {
    /// Mean cross-entropy; lower is better.
    #[serde(alias = "eval_loss")]
    Loss,
    /// Share of correct predictions.
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
}

/// Writes the name in the log, such as `eval_loss`.
impl fmt::Display for BestModelMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("eval_")?;
        self.serialize(f)
    }
}

impl BestModelMetric {
    pub(crate) fn of(self, metrics: &Metrics) -> f64 {
        match self {
            Self::Loss => metrics.loss,
            Self::Accuracy => metrics.accuracy,
            Self::F1 => metrics.f1,
            Self::Precision => metrics.precision,
            Self::Recall => metrics.recall,
            Self::F1Macro => metrics.f1_macro,
            Self::PrecisionWeighted => metrics.precision_weighted,
            Self::RecallWeighted => metrics.recall_weighted,
            Self::F1Weighted => metrics.f1_weighted,
            Self::MatthewsCorrelation => metrics.matthews_correlation,
            Self::RocAuc => metrics.roc_auc.unwrap_or(f64::NAN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_reads_its_own_value() {
        let metrics =
            Metrics::from_logits(&[vec![2.0, 0.0], vec![1.0, 0.5], vec![0.0, 3.0]], &[0, 1, 1], None);
        let values = serde_json::to_value(&metrics).unwrap();
        for (name, value) in values.as_object().unwrap() {
            for name in [name.as_str(), name.strip_prefix("eval_").unwrap()] {
                let metric: BestModelMetric = serde_json::from_value(name.into()).unwrap();
                assert_eq!(metric.of(&metrics), value.as_f64().unwrap(), "{name}");
                assert_eq!(format!("eval_{}", name.trim_start_matches("eval_")), metric.to_string());
            }
        }
    }
}
