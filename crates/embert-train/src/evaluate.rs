//! Evaluates a model on labelled texts.

use std::time::Instant;

use embert_inference::{Batching, Progress, predict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::batches::LabelledTexts;
use crate::error::TrainError;
use crate::event_result::EventResult;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::objective::metrics;

/// The result of an evaluation. Serialized, it has only numbers, with transformers' keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The metrics of the predictions.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Seconds.
    pub eval_runtime: f64,
    /// Examples per second.
    pub eval_samples_per_second: f64,
    /// Batches per second.
    pub eval_steps_per_second: f64,
}

impl Evaluation {
    /// Returns the contents of `eval_results.json`: all numbers, and the scores of each label in `eval_per_class`.
    pub fn to_results(&self, labels: &[String]) -> Map<String, Value> {
        let mut results = to_object(self);
        let scores = labels.iter().cloned().zip(self.metrics.class_scores());
        let per_class =
            scores.map(|(label, scores)| (label, to_object(&scores).into())).collect::<Map<_, _>>();
        results.insert("eval_per_class".to_owned(), Value::Object(per_class));
        results
    }
}

/// Serializes a struct of numbers.
pub(crate) fn to_object(numbers: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(numbers) {
        Ok(Value::Object(object)) => object,
        other => unreachable!("a struct is a JSON object, not {other:?}"),
    }
}

/// Evaluates `model`, without autodiff (`model.valid()`), on `examples`.
///
/// `pos_label` is the label of F1, precision and recall; see [`Metrics`]. The results do not depend on `batching`,
/// except for rounding.
///
/// # Errors
/// The errors of [`LabelledTexts::check`] and [`predict`], and [`TrainError::UnknownPosLabel`].
pub fn evaluate(
    model: &Model,
    examples: LabelledTexts<'_>,
    batching: Batching,
    pos_label: Option<usize>,
    on_progress: &mut dyn FnMut(Progress) -> EventResult,
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

/// Fails if the model does not have the label.
pub(crate) fn check_pos_label(pos_label: Option<usize>, num_labels: usize) -> Result<(), TrainError> {
    match pos_label {
        Some(pos_label) if pos_label >= num_labels => {
            Err(TrainError::UnknownPosLabel { pos_label, num_labels })
        }
        _ => Ok(()),
    }
}
