//! The state of a run between two steps, without weights and optimizer.
//!
//! The order of the examples and the dropout masks have no state: both depend only on the seed and the step.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::best_model::{BestModel, BestModelState};
use crate::fingerprint::Fingerprints;
use crate::log_entry::{LogEntry, StepLog};
use crate::loss_scale::LossScale;

/// The state of a run, except its weights and its optimizer.
///
/// A checkpoint stores it, and [`ResumeState`](crate::ResumeState) contains it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainState {
    pub(crate) step: usize,
    pub(crate) epoch: f64,
    /// The evaluation after this step has not finished.
    pub(crate) evaluation_due: bool,
    pub(crate) stopped_early: bool,
    #[serde(rename = "judged")]
    pub(crate) best_model: BestModelState,
    pub(crate) num_examples: usize,
    pub(crate) num_tokens: usize,
    pub(crate) loss_sum: f64,
    /// Seconds of training before the last resume.
    pub(crate) train_runtime: f64,
    /// `None` before the run begins.
    pub(crate) fingerprints: Option<Fingerprints>,
    /// `None` except in fp16.
    pub(crate) loss_scale: Option<LossScale>,
    pub(crate) since_log: LogWindow,
    pub(crate) log_history: Vec<LogEntry>,
}

/// Sums over the steps since the last training line of the log.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct LogWindow {
    steps: usize,
    loss_sum: f64,
    num_tokens: usize,
    busy: Duration,
    pub(crate) last: Option<StepLog>,
}

impl TrainState {
    /// Returns the number of optimizer steps so far.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Returns the number of epochs so far, fractions included.
    pub fn epoch(&self) -> f64 {
        self.epoch
    }

    /// Returns the best evaluation so far, if the run compares evaluations.
    pub fn best(&self) -> Option<BestModel> {
        self.best_model.best
    }

    /// Returns the log so far.
    pub fn log_history(&self) -> &[LogEntry] {
        &self.log_history
    }
}

impl LogWindow {
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
