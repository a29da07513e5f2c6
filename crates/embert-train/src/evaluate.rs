//! The figures of a model on labelled texts, in transformers' names.

use std::time::Instant;

use embert_model::AutoModelForSequenceClassification;
use serde::{Deserialize, Serialize};

use crate::batches::LabelledTexts;
use crate::batching::Batching;
use crate::error::TrainError;
use crate::metrics::Metrics;
use crate::predict::predict;
use crate::progress::{Answer, Progress};

/// What an evaluation found. Serialized, it holds numbers alone, under transformers' names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// How good the predictions are.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Seconds.
    pub eval_runtime: f64,
    /// Examples in a second.
    pub eval_samples_per_second: f64,
    /// Batches in a second.
    pub eval_steps_per_second: f64,
}

/// Evaluates `model` on all of `examples`. Give the model without autodiff (`model.valid()`).
///
/// # Errors
/// Those of [`LabelledTexts::check`], and those of [`predict`].
pub fn evaluate(
    model: &AutoModelForSequenceClassification,
    examples: LabelledTexts<'_>,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Answer,
) -> Result<Evaluation, TrainError> {
    examples.check(model.num_labels())?;
    let begin = Instant::now();
    let logits = predict(model, examples.texts, batching, on_progress)?;
    let seconds = begin.elapsed().as_secs_f64();
    let num_batches = batching.batches(examples.texts).len();
    Ok(Evaluation {
        metrics: Metrics::from_logits(&logits, examples.labels),
        eval_runtime: seconds,
        eval_samples_per_second: examples.labels.len() as f64 / seconds,
        eval_steps_per_second: num_batches as f64 / seconds,
    })
}
