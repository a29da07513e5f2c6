//! `trainer_state.json`, as in transformers' Trainer.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use crate::best_model::BestModel;
use crate::event::{RunPlan, TrainReport};
use crate::log_entry::LogEntry;

/// Numbers of optimizer steps between evaluations, log lines and checkpoints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals {
    pub(crate) eval_steps: usize,
    pub(crate) logging_steps: usize,
    pub(crate) save_steps: usize,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunProgress<'a> {
    pub(crate) step: usize,
    pub(crate) epoch: f64,
    pub(crate) log_history: &'a [LogEntry],
    pub(crate) best: Option<BestModel>,
}

/// Returns the contents of the file during a run. Unused keys have transformers' default values.
pub(crate) fn trainer_state(
    intervals: Intervals,
    plan: &RunPlan,
    progress: RunProgress<'_>,
    best_model_checkpoint: Option<PathBuf>,
) -> Value {
    json!({
        "best_global_step": progress.best.map(|best| best.step),
        "best_metric": progress.best.map(|best| best.metric),
        "best_model_checkpoint": best_model_checkpoint,
        "epoch": progress.epoch,
        "eval_steps": intervals.eval_steps,
        "global_step": progress.step,
        "is_hyper_param_search": false,
        "is_local_process_zero": true,
        "is_world_process_zero": true,
        "log_history": progress.log_history,
        "logging_steps": intervals.logging_steps,
        "max_steps": plan.total_steps,
        "num_input_tokens_seen": 0,
        "num_train_epochs": plan.num_train_epochs.ceil() as usize,
        "save_steps": intervals.save_steps,
        "stateful_callbacks": {},
        "total_flos": 0.0,
        "train_batch_size": plan.per_device_train_batch_size,
        "trial_name": null,
        "trial_params": null,
    })
}

/// Returns the contents of the file at the end of a run. The last line of the log is a summary.
pub(crate) fn finished_state(
    intervals: Intervals,
    report: &TrainReport,
    best_model_checkpoint: Option<PathBuf>,
) -> Value {
    let TrainReport { global_step: step, epoch, ref log_history, best, .. } = *report;
    let progress = RunProgress { step, epoch, log_history, best };
    let mut state = trainer_state(intervals, &report.plan, progress, best_model_checkpoint);
    state["log_history"].as_array_mut().expect("the log is a list").push(to_value(report));
    state
}

/// Converts a log line to JSON. NaN and infinity become null.
pub(crate) fn to_value(line: &impl Serialize) -> Value {
    serde_json::to_value(line).expect("a log line is plain data")
}
