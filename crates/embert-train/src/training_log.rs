//! Counts steps, examples, tokens and seconds of a run, and collects its log.

use std::time::Instant;

use crate::evaluate::Evaluation;
use crate::event::{RunPlan, TrainReport};
use crate::log_entry::{LogEntry, StepLog};
use crate::state::TrainState;

/// The counters and the log of a run.
#[derive(Debug)]
pub(crate) struct TrainingLog {
    pub(crate) plan: RunPlan,
    pub(crate) state: TrainState,
    /// Seconds of the first step, on a device that compiles kernels in it.
    pub(crate) first_step: Option<f64>,
    begin: Instant,
}

impl TrainingLog {
    /// Continues from `state`. A new run has the default state.
    pub(crate) fn new(plan: RunPlan, state: TrainState) -> Self {
        Self { plan, state, first_step: None, begin: Instant::now() }
    }

    /// Counts an optimizer step.
    pub(crate) fn advance(&mut self, epoch: f64) {
        self.state.step += 1;
        self.state.epoch = epoch;
    }

    /// Adds the metrics of a step to the counters.
    pub(crate) fn count(&mut self, log: StepLog, num_examples: usize, num_tokens: usize) {
        let state = &mut self.state;
        state.num_examples += num_examples;
        state.num_tokens += num_tokens;
        state.loss_sum += log.loss;
        state.since_log.add(log, num_tokens);
    }

    /// Adds the mean over the steps since the last training line to the log. `None` without such steps.
    pub(crate) fn log_steps(&mut self) -> Option<&LogEntry> {
        let mean = std::mem::take(&mut self.state.since_log).mean()?;
        Some(self.state.log_history.push_mut(LogEntry::Train(mean)))
    }

    /// Adds an evaluation to the log.
    pub(crate) fn log_evaluation(&mut self, evaluation: Evaluation) -> &LogEntry {
        let TrainState { step, epoch, .. } = self.state;
        self.state.log_history.push_mut(LogEntry::Evaluation { step, epoch, evaluation })
    }

    /// Returns the current state, with the current `train_runtime`.
    pub(crate) fn current_state(&self) -> TrainState {
        TrainState { train_runtime: self.seconds(), ..self.state.clone() }
    }

    pub(crate) fn into_report(self, interrupted: bool) -> TrainReport {
        let seconds = self.seconds();
        let state = self.state;
        TrainReport {
            epoch: state.epoch,
            global_step: state.step,
            train_loss: if state.step == 0 { 0.0 } else { state.loss_sum / state.step as f64 },
            train_runtime: seconds,
            train_samples_per_second: state.num_examples as f64 / seconds,
            train_steps_per_second: state.step as f64 / seconds,
            train_tokens_per_second: state.num_tokens as f64 / seconds,
            train_first_step_runtime: self.first_step,
            interrupted,
            stopped_early: state.stopped_early,
            best: state.best_model.best,
            plan: self.plan,
            log_history: state.log_history,
        }
    }

    fn seconds(&self) -> f64 {
        self.state.train_runtime + self.begin.elapsed().as_secs_f64()
    }
}
