//! The figures of a model on labelled texts, in transformers' names.

use std::time::Instant;

use embert_inference::{Batching, Progress, predict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::batches::LabelledTexts;
use crate::error::TrainError;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::objective::metrics;

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

impl Evaluation {
    /// The numbers, and under `eval_per_class` the scores of each label under its name: what `eval_results.json` holds.
    pub fn to_results(&self, labels: &[String]) -> Map<String, Value> {
        let mut results = to_object(self);
        let scores = labels.iter().cloned().zip(self.metrics.class_scores());
        let per_class =
            scores.map(|(label, scores)| (label, to_object(&scores).into())).collect::<Map<_, _>>();
        results.insert("eval_per_class".to_owned(), Value::Object(per_class));
        results
    }
}

/// Returns the numbers under their names.
pub(crate) fn to_object(numbers: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(numbers) {
        Ok(Value::Object(object)) => object,
        other => unreachable!("numbers with names are an object, not {other:?}"),
    }
}

/// Evaluates `model` on all of `examples`; F1, precision and recall are of `pos_label`, if it is given. Give the model
/// without autodiff (`model.valid()`).
///
/// # Errors
/// The errors of [`LabelledTexts::check`] and of [`predict`]; [`TrainError::UnknownPosLabel`].
pub fn evaluate(
    model: &Model,
    examples: LabelledTexts<'_>,
    batching: Batching,
    pos_label: Option<usize>,
    on_progress: &mut dyn FnMut(Progress) -> Answer,
) -> Result<Evaluation, TrainError> {
    examples.check(model.num_labels())?;
    check_pos_label(pos_label, model.num_labels())?;
    let begin = Instant::now();
    let logits = predict(model, examples.texts, batching, on_progress)?;
    let seconds = begin.elapsed().as_secs_f64();
    let num_batches = batching.batches(examples.texts).len();
    Ok(Evaluation {
        metrics: metrics(&logits, examples.targets, pos_label),
        eval_runtime: seconds,
        eval_samples_per_second: examples.texts.len() as f64 / seconds,
        eval_steps_per_second: num_batches as f64 / seconds,
    })
}

/// Fails if the positive label is not one of the model's.
pub(crate) fn check_pos_label(pos_label: Option<usize>, num_labels: usize) -> Result<(), TrainError> {
    match pos_label {
        Some(pos_label) if pos_label >= num_labels => {
            Err(TrainError::UnknownPosLabel { pos_label, num_labels })
        }
        _ => Ok(()),
    }
}
