//! Errors of training, evaluation and run directories.

use std::io;
use std::path::PathBuf;

use embert_inference::InferenceError;
use embert_model::{ModelError, ProblemType};
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
    /// `dataloader_drop_last` drops all examples.
    #[error(
        "{num_examples} examples make no full batch of per_device_train_batch_size {batch_size}, and \
         dataloader_drop_last drops the others; use a smaller batch size, or keep the last batch"
    )]
    NoFullBatch {
        /// The number of training examples.
        num_examples: usize,
        /// `per_device_train_batch_size`.
        batch_size: usize,
    },
    /// The numbers of texts and targets differ.
    #[error("{texts} texts have {labels} targets; give each text one target")]
    LabelCount {
        /// The number of texts.
        texts: usize,
        /// The number of targets.
        labels: usize,
    },
    /// The model does not have the label of an example.
    #[error("example {row} has label {label}, but the model has {num_labels} labels, counted from 0")]
    UnknownLabel {
        /// The row of the example, counted from 0.
        row: usize,
        /// The label.
        label: usize,
        /// The number of labels of the model.
        num_labels: usize,
    },
    /// An example has another number of targets than the model has logits.
    #[error(
        "example {row} has {found} targets, but the model has {num_labels}; give each example one for each"
    )]
    TargetLength {
        /// The row of the example, counted from 0.
        row: usize,
        /// The number of its targets.
        found: usize,
        /// The number of labels or targets of the model.
        num_labels: usize,
    },
    /// A target of regression is NaN or infinite.
    #[error("example {row} has a target that is NaN or infinite; give a number, or leave the example out")]
    TargetNotFinite {
        /// The row of the example, counted from 0.
        row: usize,
    },
    /// Training and evaluation examples have targets of different problem types.
    #[error(
        "the training examples are for {train}, but the evaluation examples for {eval}; give both the same targets"
    )]
    OtherTargets {
        /// The problem type of the training examples.
        train: ProblemType,
        /// The problem type of the evaluation examples.
        eval: ProblemType,
    },
    /// There is not one decision threshold for each label.
    #[error("{found} decision thresholds are given for {num_labels} labels; give one for each label")]
    Thresholds {
        /// The number of thresholds.
        found: usize,
        /// The number of labels of the model.
        num_labels: usize,
    },
    /// The problem type does not have the metric of `metric_for_best_model`.
    #[error(
        "metric_for_best_model is {metric}, which {problem_type} does not have; its metrics are {}",
        metrics.join(", ")
    )]
    UnknownMetric {
        /// The metric, with `eval_`.
        metric: String,
        /// The problem type of the targets.
        problem_type: ProblemType,
        /// The metrics of the problem type, with `eval_`.
        metrics: Vec<String>,
    },
    /// The model does not have the positive label.
    #[error(
        "pos_label is {pos_label}, but the model has {num_labels} labels, counted from 0; give one of them"
    )]
    UnknownPosLabel {
        /// The label.
        pos_label: usize,
        /// The number of labels of the model.
        num_labels: usize,
    },
    /// The checkpoint has more steps than the run to resume.
    #[error(
        "the checkpoint is at step {step}, but the run has only {total_steps} steps; increase num_train_epochs or \
         max_steps, or start a new run with another output_dir"
    )]
    AlreadyDone {
        /// The step of the checkpoint.
        step: usize,
        /// The number of steps of the run.
        total_steps: usize,
    },
    /// `class_weights` or `pos_weight` has the wrong length.
    #[error("{key} lists {found} numbers for {num_labels} labels; give one for each label")]
    ClassWeights {
        /// The key.
        key: &'static str,
        /// The length of the list.
        found: usize,
        /// The number of labels of the model.
        num_labels: usize,
    },
    /// `class_weights` or `pos_weight` names a label that the model does not have.
    #[error("{key} names the label {name:?}, which the model does not have; {advice}", advice = label_advice(suggestion, labels))]
    UnknownLabelName {
        /// The key.
        key: &'static str,
        /// The name.
        name: String,
        /// The most similar label of the model, if one is similar.
        suggestion: Option<String>,
        /// The labels of the model.
        labels: Vec<String>,
    },
    /// `class_weights` or `pos_weight` still has label names, which only the caller of `fit` knows.
    #[error("{key} has label names; resolve them with TrainConfig::resolve_label_names before training")]
    UnresolvedNames {
        /// The key.
        key: &'static str,
    },
    /// `class_weights` or `pos_weight` is `balanced`, but a label has no example.
    #[error("{key} is \"balanced\", but no training example has label {label}; list the weights instead")]
    NothingToBalance {
        /// The key.
        key: &'static str,
        /// The label without examples.
        label: usize,
    },
    /// A pattern of `freeze` or `gradual_unfreezing` matches no parameter.
    #[error(
        "{key}: no parameter name matches {pattern:?}; modules are {modules}, and * matches any characters",
        modules = modules.join(", ")
    )]
    UnknownPattern {
        /// The key.
        key: &'static str,
        /// The pattern.
        pattern: String,
        /// The modules of the model that have parameters.
        modules: Vec<String>,
    },
    /// Every parameter is frozen.
    #[error(
        "freeze and gradual_unfreezing freeze all parameters in the first epoch; do not freeze the classifier"
    )]
    NothingToTrain,
    /// A loss or a gradient is infinite or NaN. The step changed no weight.
    #[error(
        "training diverged at step {step}: loss {loss}, gradient norm {grad_norm}, learning rate {learning_rate:e}, \
         {rows}; this step changed no weight; try a lower learning_rate, more warmup_steps or a smaller max_grad_norm",
        rows = rows_of_batch(rows)
    )]
    Diverged {
        /// The optimizer step, counted from 1 as in the logs.
        step: usize,
        /// The loss.
        loss: f64,
        /// The global gradient norm before clipping.
        grad_norm: f64,
        /// The learning rate of the step.
        learning_rate: f64,
        /// The training rows of the step, counted from 0.
        rows: Vec<usize>,
    },
    /// Weights, or an evaluation with them, are infinite or NaN. They are not saved.
    #[error(
        "training diverged at step {step}: {what} not finite after a step with learning rate {learning_rate:e}, {rows}; \
         these weights were not saved; try a lower learning_rate or more warmup_steps",
        rows = rows_of_batch(rows)
    )]
    DivergedWeights {
        /// The optimizer step, counted from 1 as in the logs.
        step: usize,
        /// The values that are not finite, with a verb: `weights are`.
        what: &'static str,
        /// The learning rate of the last step.
        learning_rate: f64,
        /// The training rows of the last step, counted from 0.
        rows: Vec<usize>,
    },
    /// A checkpoint is incomplete or damaged.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// The checkpoint, or a file in it.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// The examples changed since the run started.
    #[error(
        "training or evaluation texts, labels or tokens differ from those of the checkpoint's run; give the same data, \
         or start a new run with another output_dir"
    )]
    OtherData,
    /// The base model of the adapter changed since the run started.
    #[error(
        "the base model's weights differ from those of the checkpoint's run, and its adapter needs the same base model; \
         give that model, or start a new run with another output_dir"
    )]
    OtherWeights,
    /// The model's files could not be written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer's files could not be written.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An evaluation failed, or the callback stopped it.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// The output directory contains a finished run.
    #[error("output directory {path} already contains a run", path = path.display())]
    OutputExists {
        /// The directory.
        path: PathBuf,
    },
    /// `OUT.partial` contains an unfinished run.
    #[error("{path} contains an unfinished run", path = path.display())]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// `OUT.partial` contains a complete run without checkpoints.
    #[error(
        "{partial_dir} contains a complete run; rename it to {output_dir}, or choose another output_dir",
        partial_dir = partial_dir.display(),
        output_dir = output_dir.display()
    )]
    Unrenamed {
        /// The directory with the complete run.
        partial_dir: PathBuf,
        /// The name that it should have.
        output_dir: PathBuf,
    },
    /// The directory for a model contains files.
    #[error("{path} is not empty; choose another output directory", path = path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A directory that the run needs contains files, but no run.
    #[error(
        "{path} is not a run directory, and contains {entry}, which would be lost; choose another output_dir",
        path = path.display()
    )]
    NotARun {
        /// The directory.
        path: PathBuf,
        /// The first entry that is not a file of a run.
        entry: String,
    },
    /// An entry in or next to a run directory is not from a run, and the run cannot keep it.
    #[error(
        "{path} is not a file of a run and cannot stay there; move it, or choose another output_dir",
        path = path.display()
    )]
    Foreign {
        /// The entry.
        path: PathBuf,
    },
    /// Another process holds the lock of the directory.
    #[error("{path}: another process is writing there; wait for it, or choose another output directory", path = path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The complete run could not be renamed to the output directory.
    #[error("{source}; the complete run is in {partial_dir}", partial_dir = partial_dir.display())]
    NotRenamed {
        /// The directory with the complete run.
        partial_dir: PathBuf,
        /// The reason.
        source: Box<TrainError>,
    },
    /// A file of the run could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> TrainError {
    let path = path.into();
    move |source| TrainError::Io { path, source }
}

/// Formats the suggestion, or the first 20 labels.
fn label_advice(suggestion: &Option<String>, labels: &[String]) -> String {
    if let Some(suggestion) = suggestion {
        return format!("did you mean {suggestion:?}?");
    }
    let shown = labels.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    match labels.len().saturating_sub(20) {
        0 => format!("its labels are {shown}"),
        more => format!("its labels are {shown} and {more} more"),
    }
}

/// Formats the first 32 rows of a batch for an error message.
fn rows_of_batch(rows: &[usize]) -> String {
    let shown = rows.iter().take(32).map(usize::to_string).collect::<Vec<_>>().join(", ");
    match rows.len().saturating_sub(32) {
        0 => format!("training rows {shown} (counted from 0)"),
        more => format!("training rows {shown} and {more} more (counted from 0)"),
    }
}
