//! Evaluates a model on labelled texts.

use std::time::Instant;

use embert_inference::{Batching, Progress, predict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::batches::LabelledTexts;
use crate::config_error::ConfigError;
use crate::error::TrainError;
use crate::event_result::EventResult;
use crate::metrics::{MetricOptions, Metrics, to_object};
use crate::model::Model;
use crate::targets::Targets;

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
    /// Returns the contents of `eval_results.json`: all numbers, and the scores of each label in `eval_per_class` or of
    /// each target in `eval_per_target`.
    pub fn to_results(&self, labels: &[String]) -> Map<String, Value> {
        let mut results = to_object(self);
        let (key, scores) = self.metrics.per_label(labels);
        results.insert(key.to_owned(), Value::Object(scores));
        results
    }
}

/// Evaluates `model`, without autodiff (`model.valid()`), on `examples`.
///
/// The targets select the metrics. The results do not depend on `batching`, except for rounding.
///
/// # Errors
/// The errors of [`LabelledTexts::check`] and [`predict`]; [`TrainError::UnknownPosLabel`], [`TrainError::Thresholds`]
/// and [`TrainError::Config`] if an option does not fit the targets.
pub fn evaluate(
    model: &Model,
    examples: LabelledTexts<'_>,
    batching: Batching,
    options: MetricOptions<'_>,
    on_progress: &mut dyn FnMut(Progress) -> EventResult,
) -> Result<Evaluation, TrainError> {
    evaluate_logits(model, examples, batching, options, on_progress).map(|(evaluation, _)| evaluation)
}

/// Evaluates `model` as [`evaluate`] does, and returns the logits, too: `[rows][num_labels]`.
///
/// # Errors
/// The errors of [`evaluate`].
pub fn evaluate_logits(
    model: &Model,
    examples: LabelledTexts<'_>,
    batching: Batching,
    options: MetricOptions<'_>,
    on_progress: &mut dyn FnMut(Progress) -> EventResult,
) -> Result<(Evaluation, Vec<Vec<f32>>), TrainError> {
    examples.check(model.num_labels())?;
    check_options(options, examples.targets, model.num_labels())?;
    let begin = Instant::now();
    let logits = predict(model, examples.texts, batching, on_progress)?;
    let seconds = begin.elapsed().as_secs_f64();
    let num_batches = batching.batches(examples.texts).len();
    let evaluation = Evaluation {
        metrics: Metrics::new(&logits, examples.targets, options),
        eval_runtime: seconds,
        eval_samples_per_second: examples.texts.len() as f64 / seconds,
        eval_steps_per_second: num_batches as f64 / seconds,
    };
    Ok((evaluation, logits))
}

/// Fails if an option does not fit the targets or the labels of the model.
pub(crate) fn check_options(
    options: MetricOptions<'_>,
    targets: &Targets,
    num_labels: usize,
) -> Result<(), TrainError> {
    match (options.pos_label, targets) {
        (Some(pos_label), Targets::Labels(_)) if pos_label >= num_labels => {
            return Err(TrainError::UnknownPosLabel { pos_label, num_labels });
        }
        (Some(pos_label), Targets::MultiHot(_) | Targets::Values(_)) => {
            return Err(
                only_for("pos_label", pos_label, "left out, except in single-label classification").into()
            );
        }
        _ => {}
    }
    match (options.thresholds, targets) {
        (Some(thresholds), Targets::MultiHot(_)) if thresholds.len() != num_labels => {
            Err(TrainError::Thresholds { found: thresholds.len(), num_labels })
        }
        (Some(thresholds), Targets::Labels(_) | Targets::Values(_)) => {
            let found = format!("{thresholds:?}");
            Err(only_for("thresholds", found, "left out, except in multi-label classification").into())
        }
        _ => Ok(()),
    }
}

/// Returns the error of a setting that the problem type does not have.
pub(crate) fn only_for(key: &'static str, found: impl ToString, expected: &'static str) -> ConfigError {
    ConfigError { key, found: found.to_string(), expected }
}
