//! `trainer_state.json`, as transformers' Trainer writes it.

use std::path::PathBuf;

use serde::Serialize;

use crate::best_model::BestModel;
use crate::event::{RunPlan, TrainReport};
use crate::log_entry::LogEntry;

/// The file's keys. Those that have no meaning here hold what transformers writes when they are not used.
#[derive(Debug, Serialize)]
pub(crate) struct TrainerState {
    best_global_step: Option<usize>,
    best_metric: Option<f64>,
    best_model_checkpoint: Option<PathBuf>,
    epoch: f64,
    eval_steps: usize,
    global_step: usize,
    is_hyper_param_search: bool,
    is_local_process_zero: bool,
    is_world_process_zero: bool,
    log_history: Vec<serde_json::Value>,
    logging_steps: usize,
    max_steps: usize,
    num_input_tokens_seen: usize,
    num_train_epochs: usize,
    save_steps: usize,
    stateful_callbacks: serde_json::Map<String, serde_json::Value>,
    total_flos: f64,
    train_batch_size: usize,
    trial_name: Option<String>,
    trial_params: Option<String>,
}

/// Optimizer steps from one event of a kind to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals {
    pub(crate) eval_steps: usize,
    pub(crate) logging_steps: usize,
    pub(crate) save_steps: usize,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    pub(crate) step: usize,
    pub(crate) epoch: f64,
    pub(crate) log_history: &'a [LogEntry],
    pub(crate) best: Option<BestModel>,
}

impl TrainerState {
    /// Returns the state during a run.
    pub(crate) fn new(
        intervals: Intervals,
        plan: &RunPlan,
        standing: Standing<'_>,
        best_model_checkpoint: Option<PathBuf>,
    ) -> Self {
        let Standing { step, epoch, log_history, best } = standing;
        Self {
            best_global_step: best.map(|best| best.step),
            best_metric: best.map(|best| best.metric),
            best_model_checkpoint,
            epoch,
            eval_steps: intervals.eval_steps,
            global_step: step,
            is_hyper_param_search: false,
            is_local_process_zero: true,
            is_world_process_zero: true,
            log_history: log_history.iter().map(to_value).collect(),
            logging_steps: intervals.logging_steps,
            max_steps: plan.total_steps,
            num_input_tokens_seen: 0,
            num_train_epochs: plan.num_train_epochs.ceil() as usize,
            save_steps: intervals.save_steps,
            stateful_callbacks: serde_json::Map::new(),
            total_flos: 0.0,
            train_batch_size: plan.per_device_train_batch_size,
            trial_name: None,
            trial_params: None,
        }
    }

    /// Returns the state at the end, with a summary as the last line of the log.
    pub(crate) fn finished(
        intervals: Intervals,
        report: &TrainReport,
        best_model_checkpoint: Option<PathBuf>,
    ) -> Self {
        let standing = Standing {
            step: report.global_step,
            epoch: report.epoch,
            log_history: &report.log_history,
            best: report.best,
        };
        let mut state = Self::new(intervals, &report.plan, standing, best_model_checkpoint);
        state.log_history.push(to_value(report));
        state
    }
}

/// A log line as JSON; what is not a number becomes null.
pub(crate) fn to_value(line: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(line).expect("a log line is plain data")
}
