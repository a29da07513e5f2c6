//! The counting side of a run: steps, examples, tokens, seconds, and the lines of the log.

use std::time::{Duration, Instant};

use crate::best_model::BestModel;
use crate::evaluate::Evaluation;
use crate::event::{LogEntry, RunPlan, StepLog, TrainReport};
use crate::step::StepGradients;

/// What has happened so far.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) plan: RunPlan,
    pub(crate) step: usize,
    pub(crate) epoch: f64,
    pub(crate) log_history: Vec<LogEntry>,
    pub(crate) best: Option<BestModel>,
    pub(crate) stopped_early: bool,
    begin: Instant,
    num_examples: usize,
    num_tokens: usize,
    loss_sum: f64,
    since_log: SinceLog,
}

/// What has happened since the last training log.
#[derive(Debug, Default)]
struct SinceLog {
    steps: usize,
    loss_sum: f64,
    num_tokens: usize,
    busy: Duration,
    last: Option<StepLog>,
}

impl Journal {
    pub(crate) fn new(plan: RunPlan) -> Self {
        Self {
            plan,
            step: 0,
            epoch: 0.0,
            log_history: Vec::new(),
            best: None,
            stopped_early: false,
            begin: Instant::now(),
            num_examples: 0,
            num_tokens: 0,
            loss_sum: 0.0,
            since_log: SinceLog::default(),
        }
    }

    /// Counts one optimizer step that took `busy`.
    pub(crate) fn count(&mut self, done: &StepFigures, epoch: f64, busy: Duration) {
        self.step += 1;
        self.epoch = epoch;
        self.num_examples += done.num_examples;
        self.num_tokens += done.num_tokens;
        self.loss_sum += done.loss;
        let log = StepLog {
            step: self.step,
            epoch,
            loss: done.loss,
            grad_norm: done.grad_norm,
            learning_rate: done.learning_rate,
            tokens_per_second: done.num_tokens as f64 / busy.as_secs_f64(),
        };
        self.since_log.add(log, done.num_tokens, busy);
    }

    /// The last step, if it is not in the log yet.
    pub(crate) fn last_step(&self) -> Option<StepLog> {
        self.since_log.last
    }

    /// Adds the mean of the steps since the last such line to the log, if there were any.
    pub(crate) fn log_steps(&mut self) -> Option<&LogEntry> {
        let mean = std::mem::take(&mut self.since_log).mean()?;
        Some(self.log_history.push_mut(LogEntry::Train(mean)))
    }

    /// Adds an evaluation to the log.
    pub(crate) fn log_evaluation(&mut self, evaluation: Evaluation) -> &LogEntry {
        let entry = LogEntry::Evaluation { step: self.step, epoch: self.epoch, evaluation };
        self.log_history.push_mut(entry)
    }

    pub(crate) fn into_report(self, interrupted: bool) -> TrainReport {
        let seconds = self.begin.elapsed().as_secs_f64();
        TrainReport {
            epoch: self.epoch,
            global_step: self.step,
            train_loss: if self.step == 0 { 0.0 } else { self.loss_sum / self.step as f64 },
            train_runtime: seconds,
            train_samples_per_second: self.num_examples as f64 / seconds,
            train_steps_per_second: self.step as f64 / seconds,
            train_tokens_per_second: self.num_tokens as f64 / seconds,
            interrupted,
            stopped_early: self.stopped_early,
            best: self.best,
            plan: self.plan,
            log_history: self.log_history,
        }
    }
}

/// The figures of one optimizer step, without its gradients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepFigures {
    loss: f64,
    grad_norm: f64,
    learning_rate: f64,
    num_examples: usize,
    num_tokens: usize,
}

impl StepFigures {
    pub(crate) fn new(step: &StepGradients, learning_rate: f64) -> Self {
        Self {
            loss: step.loss,
            grad_norm: step.grad_norm,
            learning_rate,
            num_examples: step.num_examples,
            num_tokens: step.num_tokens,
        }
    }
}

impl SinceLog {
    fn add(&mut self, log: StepLog, num_tokens: usize, busy: Duration) {
        self.steps += 1;
        self.loss_sum += log.loss;
        self.num_tokens += num_tokens;
        self.busy += busy;
        self.last = Some(log);
    }

    fn mean(self) -> Option<StepLog> {
        Some(StepLog {
            loss: self.loss_sum / self.steps as f64,
            tokens_per_second: self.num_tokens as f64 / self.busy.as_secs_f64(),
            ..self.last?
        })
    }
}
