//! Errors of training, evaluation and run directories.

use std::io;
use std::path::PathBuf;

use embert_inference::InferenceError;
use embert_model::ModelError;
use embert_text::TextError;

use crate::config_error::ConfigError;

/// An error of training, evaluation or a run directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting with an invalid value.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The set of examples is empty.
    #[error("there are no examples to train on, evaluate or predict")]
    NoExamples,
    /// The numbers of texts and labels differ.
    #[error("{texts} texts came with {labels} labels; each text needs one")]
    LabelCount {
        /// The number of texts.
        texts: usize,
        /// The number of labels.
        labels: usize,
    },
    /// An example has a label that the model does not have.
    #[error("example {row} has label {label}, but the model has {num_labels} labels, from 0 on")]
    UnknownLabel {
        /// The row of the example, from 0.
        row: usize,
        /// Its label.
        label: usize,
        /// The number of labels of the model.
        num_labels: usize,
    },
    /// The positive label is not one of the model's.
    #[error("pos_label is {pos_label}, but the model has {num_labels} labels, from 0 on; give one of them")]
    UnknownPosLabel {
        /// The label.
        pos_label: usize,
        /// The number of labels of the model.
        num_labels: usize,
    },
    /// The run to resume has already made more steps than are asked for.
    #[error(
        "step {step} is done already, and this run has {total_steps} steps; give more num_train_epochs or max_steps, or \
         begin a run with another output_dir"
    )]
    AlreadyDone {
        /// The steps made.
        step: usize,
        /// The steps of the run.
        total_steps: usize,
    },
    /// `class_weights` has the wrong length.
    #[error("class_weights lists {found} numbers for {num_labels} labels; give one for each label")]
    ClassWeights {
        /// Numbers in the list.
        found: usize,
        /// Labels of the model.
        num_labels: usize,
    },
    /// `class_weights = "balanced"` where a label never occurs.
    #[error(
        "class_weights is \"balanced\", but no training example has label {label}; list the weights instead"
    )]
    NothingToBalance {
        /// The label without examples.
        label: usize,
    },
    /// A pattern of `freeze` or `gradual_unfreezing` that fits no parameter.
    #[error(
        "{key} has {pattern:?}, and no parameter's name begins so; there are {modules}, and * stands for any characters",
        modules = modules.join(", ")
    )]
    UnknownPattern {
        /// The key.
        key: &'static str,
        /// The pattern.
        pattern: String,
        /// The modules of the model that hold parameters.
        modules: Vec<String>,
    },
    /// Every parameter is frozen.
    #[error(
        "freeze and gradual_unfreezing leave nothing to train in the first epoch; leave the classifier out of them"
    )]
    NothingToTrain,
    /// A loss or a gradient that is infinite or not a number. The weights are still those of the step before.
    #[error(
        "training diverged at step {step}: loss {loss}, gradient norm {grad_norm}, learning rate {learning_rate:e}, \
         {rows}; no weight was changed by this step; try a lower learning_rate, more warmup_steps or a smaller max_grad_norm",
        rows = rows_of_batch(rows)
    )]
    Diverged {
        /// The optimizer step, counted from 1 as in the logs.
        step: usize,
        /// Its loss.
        loss: f64,
        /// The global norm of its gradients before clipping.
        grad_norm: f64,
        /// The learning rate that it would have used.
        learning_rate: f64,
        /// The training examples of its batch, counted from 0.
        rows: Vec<usize>,
    },
    /// Weights, or what they compute, that are infinite or not a number. Nothing of them is saved.
    #[error(
        "training diverged at step {step}: {what} no longer finite after a step of learning rate {learning_rate:e}, \
         {rows}; nothing of this was saved; try a lower learning_rate or more warmup_steps",
        rows = rows_of_batch(rows)
    )]
    DivergedWeights {
        /// The optimizer step, counted from 1 as in the logs.
        step: usize,
        /// What is broken, with its verb.
        what: &'static str,
        /// The learning rate of the last step.
        learning_rate: f64,
        /// The training examples of its batch, counted from 0.
        rows: Vec<usize>,
    },
    /// A checkpoint from which no run can resume.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// Its directory, or a file in it.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A run is resumed with other examples.
    #[error(
        "the training or evaluation texts, their labels or their tokens are not those that the checkpoint's run began with"
    )]
    OtherData,
    /// A run with adapters is resumed on another base model.
    #[error(
        "the base model's weights are not those that the checkpoint's run began with: its adapters fit no others; give that \
         base again, or begin a run with another output_dir"
    )]
    OtherWeights,
    /// The model's files could not be written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer's files could not be written.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An evaluation failed, or the caller asked it to stop.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// The output directory holds a finished run that must not be replaced.
    #[error("output directory {path} exists and holds a run", path = path.display())]
    OutputExists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory of a run that has not finished, which must not be replaced.
    #[error("{path} holds a run that is not finished", path = path.display())]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// A directory that the run needs holds files that no run wrote.
    #[error(
        "{path} is not the directory of a run: it holds {entry}, which would be lost; choose another output_dir",
        path = path.display()
    )]
    NotARun {
        /// The directory.
        path: PathBuf,
        /// Its first entry that a run does not write.
        entry: String,
    },
    /// An entry in or next to a run's directory that a run did not write and cannot keep in its place.
    #[error(
        "{path} was not written by a run and cannot be kept there; move it, or choose another output_dir",
        path = path.display()
    )]
    Foreign {
        /// The entry.
        path: PathBuf,
    },
    /// Two processes would write one run.
    #[error("{path}: another process is training there; wait for it, or choose another output directory", path = path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// A run is complete, but its directory could not take its name.
    #[error("{source}; the run is complete and lies in {partial_dir}", partial_dir = partial_dir.display())]
    Unnamed {
        /// Where the run's files are.
        partial_dir: PathBuf,
        /// What the file system said.
        source: Box<TrainError>,
    },
    /// A file of the run could not be written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// Names the path in an error of the file system.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> TrainError {
    let path = path.into();
    move |source| TrainError::Io { path, source }
}

/// The rows of a batch for a message: the first 32 of them.
fn rows_of_batch(rows: &[usize]) -> String {
    let shown = rows.iter().take(32).map(usize::to_string).collect::<Vec<_>>().join(", ");
    match rows.len().saturating_sub(32) {
        0 => format!("training rows {shown} (from 0)"),
        more => format!("training rows {shown} and {more} more (from 0)"),
    }
}
