//! The state of a run between two steps: with the weights and AdamW's moments, all that resuming needs.
//!
//! The order of the examples and dropout have no state: both are functions of the seed and the step.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::best_model::{BestModel, Judged};
use crate::fingerprint::Fingerprints;
use crate::log_entry::{LogEntry, StepLog};
use crate::loss_scale::LossScale;

/// The state of a run, except its weights and its optimizer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainState {
    pub(crate) step: usize,
    pub(crate) epoch: f64,
    /// The evaluation after this step has not finished.
    pub(crate) evaluation_due: bool,
    pub(crate) stopped_early: bool,
    pub(crate) judged: Judged,
    pub(crate) num_examples: usize,
    pub(crate) num_tokens: usize,
    pub(crate) loss_sum: f64,
    /// Seconds of training before the run was last resumed.
    pub(crate) train_runtime: f64,
    /// `None` before the run begins.
    pub(crate) fingerprints: Option<Fingerprints>,
    /// In fp16.
    pub(crate) loss_scale: Option<LossScale>,
    pub(crate) since_log: SinceLog,
    pub(crate) log_history: Vec<LogEntry>,
}

/// Sums over the steps since the last training log.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct SinceLog {
    steps: usize,
    loss_sum: f64,
    num_tokens: usize,
    busy: Duration,
    pub(crate) last: Option<StepLog>,
}

impl TrainState {
    /// Optimizer steps made.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Passes over the training examples made.
    pub fn epoch(&self) -> f64 {
        self.epoch
    }

    /// The best evaluation up to now, where a metric says which is.
    pub fn best(&self) -> Option<BestModel> {
        self.judged.best
    }

    /// The log up to now.
    pub fn log_history(&self) -> &[LogEntry] {
        &self.log_history
    }
}

impl SinceLog {
    pub(crate) fn add(&mut self, log: StepLog, num_tokens: usize) {
        self.steps += 1;
        self.loss_sum += log.loss;
        self.num_tokens += num_tokens;
        self.busy += Duration::from_secs_f64(num_tokens as f64 / log.tokens_per_second);
        self.last = Some(log);
    }

    pub(crate) fn mean(self) -> Option<StepLog> {
        Some(StepLog {
            loss: self.loss_sum / self.steps as f64,
            tokens_per_second: self.num_tokens as f64 / self.busy.as_secs_f64(),
            ..self.last?
        })
    }
}
