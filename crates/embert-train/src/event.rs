//! What a run tells its caller while it goes on.

use std::ops::ControlFlow;

use embert_model::AutoModelForSequenceClassification;
use serde::{Deserialize, Serialize};

use crate::best_model::BestModel;
use crate::error::TrainError;
use crate::evaluate::Evaluation;
use crate::optimizer::OptimizerState;
use crate::state::TrainState;

/// Something that happened. The caller's answer says whether to go on.
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

/// All that a run is between two steps.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The weights of now, without autodiff.
    pub model: &'a AutoModelForSequenceClassification,
    /// What AdamW remembers.
    pub optimizer: &'a OptimizerState,
    /// Everything else.
    pub state: &'a TrainState,
}

/// The answer to an event: go on, stop in good order (`Break`), or fail.
pub type Answer = Result<ControlFlow<()>, TrainError>;

/// What a run is going to do.
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
    /// Optimizer steps made before, where the run is taken up from a checkpoint.
    pub first_step: usize,
    /// Parameters that training changes.
    pub num_trainable_parameters: usize,
    /// Parameters of the model.
    pub num_parameters: usize,
}

/// How far a pass over examples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Examples done.
    pub done: usize,
    /// Examples in all.
    pub total: usize,
}

/// One optimizer step, or the mean of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepLog {
    /// Optimizer steps made, this one included.
    pub step: usize,
    /// Passes over the training examples made.
    pub epoch: f64,
    /// The training loss, before the step.
    pub loss: f64,
    /// The global norm of the gradients of the (last) step, before clipping. Infinite, and `null` in JSON, where they
    /// overflowed in fp16 and the step was left out.
    #[serde(deserialize_with = "number_or_infinite")]
    pub grad_norm: f64,
    /// The learning rate of the (last) step.
    pub learning_rate: f64,
    /// Tokens trained on in a second, padding not counted.
    pub tokens_per_second: f64,
}

/// JSON has no infinity.
fn number_or_infinite<'de, D: serde::Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::INFINITY))
}

/// One line of the log, with transformers' keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogEntry {
    /// The mean of the steps since the last line.
    Train(StepLog),
    /// An evaluation.
    Evaluation {
        /// Optimizer steps made.
        step: usize,
        /// Passes over the training examples made.
        epoch: f64,
        /// The figures.
        #[serde(flatten)]
        evaluation: Evaluation,
    },
}

/// What a run amounted to, with transformers' keys.
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
    /// Whether evaluations brought nothing better for so long that the run ended early.
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
