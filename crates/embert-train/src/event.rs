//! Events of a run.

use embert_inference::Progress;
use serde::Serialize;

use crate::best_model::BestModel;
use crate::log_entry::{LogEntry, StepLog};
use crate::model::Model;
use crate::optimizer::OptimizerState;
use crate::state::TrainState;

/// An event of a run. The caller's answer decides whether the run continues.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Training begins.
    Started(RunPlan),
    /// The optimizer made a step.
    Step(StepLog),
    /// `logging_steps` steps are over, or the run is: a [`LogEntry::Train`].
    Logged(&'a LogEntry),
    /// `gradual_unfreezing` lets more parameters train from now on.
    Unfrozen {
        /// Passes over the training examples made.
        epoch: u64,
        /// Parameters that training changes now.
        num_trainable_parameters: usize,
    },
    /// A batch of the evaluation set is done.
    Evaluating(Progress),
    /// The evaluation set was evaluated: a [`LogEntry::Evaluation`].
    Evaluated(&'a LogEntry),
    /// `save_strategy`, `load_best_model_at_end` or the caller's `Break` says that a checkpoint is due: the caller saves it.
    CheckpointDue(Snapshot<'a>),
    /// Training is over, or was interrupted.
    Finished(&'a TrainReport),
}

/// A run between two steps.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The current weights, without autodiff.
    pub model: &'a Model,
    /// The state of AdamW.
    pub optimizer: &'a OptimizerState,
    /// Everything else.
    pub state: &'a TrainState,
}

/// The plan of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunPlan {
    /// Training examples.
    pub num_examples: usize,
    /// Passes over them.
    pub num_train_epochs: f64,
    /// Examples in a micro-batch.
    pub per_device_train_batch_size: usize,
    /// Micro-batches to an optimizer step.
    pub gradient_accumulation_steps: usize,
    /// Optimizer steps of one epoch.
    pub steps_per_epoch: usize,
    /// Optimizer steps of the run.
    pub total_steps: usize,
    /// Optimizer steps of the checkpoint that the run resumes from; 0 for a new run.
    pub first_step: usize,
    /// Parameters that training changes.
    pub num_trainable_parameters: usize,
    /// Parameters of the model.
    pub num_parameters: usize,
}

/// The report of a run, with transformers' keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// Passes over the training examples made.
    pub epoch: f64,
    /// Optimizer steps made.
    #[serde(rename = "step")]
    pub global_step: usize,
    /// The mean training loss of all steps.
    pub train_loss: f64,
    /// Seconds, evaluations and checkpoints included.
    pub train_runtime: f64,
    /// Examples trained on in a second.
    pub train_samples_per_second: f64,
    /// Optimizer steps in a second.
    pub train_steps_per_second: f64,
    /// Tokens trained on in a second, padding not counted.
    pub train_tokens_per_second: f64,
    /// Seconds of the first step on a device that compiles and tunes its kernels then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_first_step_runtime: Option<f64>,
    /// Whether the caller stopped the run before its end.
    #[serde(skip)]
    pub interrupted: bool,
    /// Whether the run stopped early because its evaluations no longer improved.
    #[serde(skip)]
    pub stopped_early: bool,
    /// The best evaluation, where a metric says which is.
    #[serde(skip)]
    pub best: Option<BestModel>,
    /// What the run set out to do.
    #[serde(skip)]
    pub plan: RunPlan,
    /// Every line of the log, in order.
    #[serde(skip)]
    pub log_history: Vec<LogEntry>,
}
