//! A line of the training log.

use serde::{Deserialize, Serialize};

use crate::evaluate::Evaluation;

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
