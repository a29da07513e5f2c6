//! Events of a run.

use embert_inference::Progress;
use serde::Serialize;

use crate::best_model::BestModel;
use crate::log_entry::{LogEntry, StepLog};
use crate::model::Model;
use crate::optimizer_state::OptimizerState;
use crate::state::TrainState;

/// An event of a run. The callback returns an [`EventResult`](crate::EventResult).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Training begins.
    Started(RunPlan),
    /// An optimizer step ended. On a GPU, the events of several steps arrive together.
    Step(StepLog),
    /// The log has a new [`LogEntry::Train`], after `logging_steps` steps or at the end.
    Logged(&'a LogEntry),
    /// `gradual_unfreezing` made more parameters trainable.
    Unfrozen {
        /// The epoch that begins, counted from 0.
        epoch: u64,
        /// Number of trainable values.
        num_trainable_parameters: usize,
    },
    /// A batch of an evaluation ended.
    Evaluating(Progress),
    /// An evaluation ended; the log has a new [`LogEntry::Evaluation`].
    Evaluated(&'a LogEntry),
    /// The callback must save a checkpoint, for example with [`RunDirectory::record`](crate::RunDirectory::record).
    CheckpointDue(Snapshot<'a>),
    /// Training ended or was interrupted.
    Finished(&'a TrainReport),
}

/// A run between two steps.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The current weights, without autodiff.
    pub model: &'a Model,
    /// The state of AdamW.
    pub optimizer: &'a OptimizerState,
    /// Counters and log.
    pub state: &'a TrainState,
}

/// The size of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunPlan {
    /// Number of training examples.
    pub num_examples: usize,
    /// Number of epochs.
    pub num_train_epochs: f64,
    /// Examples in a micro-batch.
    pub per_device_train_batch_size: usize,
    /// Micro-batches per optimizer step.
    pub gradient_accumulation_steps: usize,
    /// Optimizer steps per epoch.
    pub steps_per_epoch: usize,
    /// Optimizer steps of the run.
    pub total_steps: usize,
    /// The step of the checkpoint to resume from; 0 for a new run.
    pub first_step: usize,
    /// Number of trainable values.
    pub num_trainable_parameters: usize,
    /// Number of values in all parameters.
    pub num_parameters: usize,
}

/// The report of a run, with transformers' keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// Number of epochs so far.
    pub epoch: f64,
    /// Number of optimizer steps so far.
    #[serde(rename = "step")]
    pub global_step: usize,
    /// Mean training loss of all steps.
    pub train_loss: f64,
    /// Seconds, including evaluations and checkpoints.
    pub train_runtime: f64,
    /// Training examples per second.
    pub train_samples_per_second: f64,
    /// Optimizer steps per second.
    pub train_steps_per_second: f64,
    /// Training tokens per second, without padding.
    pub train_tokens_per_second: f64,
    /// Seconds of the first step, on a device that compiles and tunes kernels in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_first_step_runtime: Option<f64>,
    /// The callback stopped the run.
    #[serde(skip)]
    pub interrupted: bool,
    /// Early stopping ended the run.
    #[serde(skip)]
    pub stopped_early: bool,
    /// The best evaluation, if the run compares evaluations.
    #[serde(skip)]
    pub best: Option<BestModel>,
    /// The size of the run.
    #[serde(skip)]
    pub plan: RunPlan,
    /// All lines of the log.
    #[serde(skip)]
    pub log_history: Vec<LogEntry>,
}
