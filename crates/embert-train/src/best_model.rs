//! The best evaluation and early stopping, as in transformers' `Trainer` and `EarlyStoppingCallback`.

use serde::{Deserialize, Serialize};

use crate::best_model_metric::BestModelMetric;
use crate::metrics::Metrics;

/// The best evaluation of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestModel {
    /// The value of `metric_for_best_model`.
    pub metric: f64,
    /// The optimizer step of the evaluation.
    pub step: usize,
}

/// The consequences of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BestModelUpdate {
    /// The evaluation is the best so far.
    pub(crate) is_best: bool,
    /// Patience has run out.
    pub(crate) stops: bool,
}

/// The state of a [`BestModelTracker`], saved in checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct BestModelState {
    pub(crate) best: Option<BestModel>,
    /// Evaluations in a row without an improvement.
    #[serde(rename = "not_better")]
    evaluations_without_improvement: usize,
    /// The run has had an evaluation. The first one counts as an improvement, even if it is undefined.
    #[serde(default)]
    has_evaluated: bool,
}

/// Compares each evaluation with the best one before it.
#[derive(Debug)]
pub(crate) struct BestModelTracker {
    pub(crate) metric: BestModelMetric,
    pub(crate) greater_is_better: bool,
    /// Training stops after this many evaluations in a row without an improvement.
    pub(crate) patience: Option<usize>,
    /// Minimum change that resets patience.
    pub(crate) threshold: f64,
}

impl BestModelTracker {
    pub(crate) fn update(
        &self,
        state: &mut BestModelState,
        metrics: &Metrics,
        step: usize,
    ) -> BestModelUpdate {
        self.update_with(state, self.metric.of(metrics), step)
    }

    /// A new best that is better by at most `threshold` does not reset patience.
    fn update_with(&self, state: &mut BestModelState, metric: f64, step: usize) -> BestModelUpdate {
        let best = state.best.map(|best| best.metric);
        let is_best = !metric.is_nan() && best.is_none_or(|best| self.is_better(metric, best));
        let improves =
            is_best && best.is_none_or(|best| (metric - best).abs() > self.threshold) || !state.has_evaluated;
        state.has_evaluated = true;
        state.evaluations_without_improvement =
            if improves { 0 } else { state.evaluations_without_improvement + 1 };
        if is_best {
            state.best = Some(BestModel { metric, step });
        }
        let stops = self.patience.is_some_and(|patience| state.evaluations_without_improvement >= patience);
        BestModelUpdate { is_best, stops }
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
        let tracker = config.best_model_tracker().unwrap();
        let mut state = BestModelState::default();
        let mut stopped_after = None;
        for (step, value) in case.values.iter().enumerate() {
            let update = tracker.update_with(&mut state, value.unwrap_or(f64::NAN), step);
            assert_eq!(state.best.map(|best| best.step), case.best[step], "{:?} after {step}", case.values);
            assert_eq!(update.is_best, case.best[step] == Some(step));
            stopped_after = stopped_after.or(update.stops.then_some(step));
        }
        assert_eq!(stopped_after, case.stopped_after, "{:?}", case.values);
    }

    #[test]
    fn best_model_and_early_stopping_match_transformers() {
        #[derive(Deserialize)]
        struct Cases {
            early_stopping: Vec<Case>,
        }
        let cases: Cases = serde_json::from_str(include_str!("../tests/fixtures/best_model.json")).unwrap();
        assert_eq!(cases.early_stopping.len(), 17);
        cases.early_stopping.iter().for_each(check);
    }

    #[test]
    fn the_tracker_exists_only_on_request_and_uses_loss_by_default() {
        assert!(TrainConfig::default().best_model_tracker().is_none());
        let stops = TrainConfig { early_stopping_patience: Some(1), ..TrainConfig::default() };
        assert_eq!(stops.best_model_tracker().unwrap().metric, BestModelMetric::Loss);
        let loads = TrainConfig { load_best_model_at_end: true, ..TrainConfig::default() };
        assert!(!loads.best_model_tracker().unwrap().greater_is_better);
    }
}
