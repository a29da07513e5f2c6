//! The lines of the training log.

use serde::{Deserialize, Serialize};

use crate::evaluate::Evaluation;

/// The metrics of one optimizer step, or their mean over several steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepLog {
    /// The optimizer step, counted from 1.
    pub step: usize,
    /// Number of epochs after the step.
    pub epoch: f64,
    /// The training loss before the step.
    pub loss: f64,
    /// The global gradient norm of the (last) step before clipping. Infinite, and `null` in JSON, for a skipped fp16
    /// step.
    #[serde(deserialize_with = "number_or_infinite")]
    pub grad_norm: f64,
    /// The learning rate of the (last) step.
    pub learning_rate: f64,
    /// Training tokens per second, without padding.
    pub tokens_per_second: f64,
}

/// Reads `null` as infinity, which JSON does not have.
fn number_or_infinite<'de, D: serde::Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::INFINITY))
}

/// One line of the log, with transformers' keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogEntry {
    /// The mean over the steps since the last such line.
    Train(StepLog),
    /// An evaluation.
    Evaluation {
        /// Number of optimizer steps before it.
        step: usize,
        /// Number of epochs before it.
        epoch: f64,
        /// The result.
        #[serde(flatten)]
        evaluation: Evaluation,
    },
}
