//! The best evaluation so far, and early stopping, as transformers' Trainer and its `EarlyStoppingCallback` decide.

use serde::{Deserialize, Serialize};

use crate::best_model_metric::BestModelMetric;
use crate::metrics::Metrics;

/// The best evaluation of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestModel {
    /// Its `metric_for_best_model`.
    pub metric: f64,
    /// Optimizer steps made when it was found.
    pub step: usize,
}

/// The verdict on an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// No evaluation before was as good.
    pub(crate) is_best: bool,
    /// Patience has run out.
    pub(crate) stops: bool,
}

/// The result of all evaluations so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) best: Option<BestModel>,
    /// Evaluations in a row without an improvement.
    not_better: usize,
}

/// Judges the evaluations of a run, one after another.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) metric: BestModelMetric,
    pub(crate) greater_is_better: bool,
    /// Evaluations in a row without an improvement, after which training stops.
    pub(crate) patience: Option<usize>,
    /// The least improvement that counts for patience.
    pub(crate) threshold: f64,
}

impl Judge {
    pub(crate) fn judge(&self, judged: &mut Judged, metrics: &Metrics, step: usize) -> Verdict {
        self.judge_value(judged, self.metric.of(metrics), step)
    }

    /// A metric may be the best and yet no improvement: patience asks for more than `threshold` over the best before.
    fn judge_value(&self, judged: &mut Judged, metric: f64, step: usize) -> Verdict {
        let best = judged.best.map(|best| best.metric);
        let is_best = !metric.is_nan() && best.is_none_or(|best| self.is_better(metric, best));
        let improves = is_best && best.is_none_or(|best| (metric - best).abs() > self.threshold);
        judged.not_better = if improves { 0 } else { judged.not_better + 1 };
        if is_best {
            judged.best = Some(BestModel { metric, step });
        }
        Verdict { is_best, stops: self.patience.is_some_and(|patience| judged.not_better >= patience) }
    }

    fn is_better(&self, metric: f64, than: f64) -> bool {
        if self.greater_is_better { metric > than } else { metric < than }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainConfig;

    #[derive(Deserialize)]
    struct Case {
        metric_for_best_model: BestModelMetric,
        greater_is_better: Option<bool>,
        early_stopping_patience: Option<usize>,
        early_stopping_threshold: f64,
        values: Vec<Option<f64>>,
        best: Vec<Option<usize>>,
        stopped_after: Option<usize>,
    }

    fn check(case: &Case) {
        let config = TrainConfig {
            metric_for_best_model: Some(case.metric_for_best_model),
            greater_is_better: case.greater_is_better,
            early_stopping_patience: case.early_stopping_patience,
            early_stopping_threshold: case.early_stopping_threshold,
            ..TrainConfig::default()
        };
        let judge = config.judge().unwrap();
        let mut judged = Judged::default();
        let mut stopped_after = None;
        for (step, value) in case.values.iter().enumerate() {
            let verdict = judge.judge_value(&mut judged, value.unwrap_or(f64::NAN), step);
            assert_eq!(judged.best.map(|best| best.step), case.best[step], "{:?} after {step}", case.values);
            assert_eq!(verdict.is_best, case.best[step] == Some(step));
            stopped_after = stopped_after.or(verdict.stops.then_some(step));
        }
        assert_eq!(stopped_after, case.stopped_after, "{:?}", case.values);
    }

    #[test]
    fn the_best_model_and_the_end_are_those_of_transformers() {
        #[derive(Deserialize)]
        struct Cases {
            early_stopping: Vec<Case>,
        }
        let cases: Cases = serde_json::from_str(include_str!("../tests/fixtures/best_model.json")).unwrap();
        assert_eq!(cases.early_stopping.len(), 13);
        cases.early_stopping.iter().for_each(check);
    }

    #[test]
    fn nobody_judges_unless_asked_and_loss_is_what_counts_then() {
        assert!(TrainConfig::default().judge().is_none());
        let stops = TrainConfig { early_stopping_patience: Some(1), ..TrainConfig::default() };
        assert_eq!(stops.judge().unwrap().metric, BestModelMetric::Loss);
        let loads = TrainConfig { load_best_model_at_end: true, ..TrainConfig::default() };
        assert!(!loads.judge().unwrap().greater_is_better);
    }
}
