//! The options of the metrics of a run: the positive label, and the thresholds of multi-label classification.

use embert_model::{AutoConfig, ProblemType};
use embert_train::MetricOptions;

use crate::error::CliError;
use crate::recipe::{DataSection, Recipe};

/// The owned options of metrics.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct MetricChoice {
    pub(crate) pos_label: Option<usize>,
    pub(crate) thresholds: Option<Vec<f32>>,
}

impl MetricChoice {
    /// Returns the options of a recipe for a model. Its threshold has precedence over those of the model.
    pub(crate) fn new(data: &DataSection, config: &AutoConfig) -> Result<Self, CliError> {
        let labels = config.label_names();
        let thresholds = match data.threshold {
            Some(_) if config.problem_type() != ProblemType::MultiLabelClassification => {
                return Err(CliError::usage(format!(
                    "--threshold is for multi-label classification; this is {}",
                    config.problem_type()
                )));
            }
            Some(threshold) => Some(vec![threshold as f32; labels.len()]),
            None => config.thresholds().map(<[f32]>::to_vec),
        };
        Ok(Self { pos_label: pos_label(data, config)?, thresholds })
    }

    pub(crate) fn options(&self) -> MetricOptions<'_> {
        MetricOptions { pos_label: self.pos_label, thresholds: self.thresholds.as_deref() }
    }
}

/// Fails if the recipe fits thresholds, but has no multi-label evaluation to fit them on.
pub(crate) fn check_fitting(recipe: &Recipe, config: &AutoConfig) -> Result<(), CliError> {
    if recipe.data.fit_threshold.is_none() {
        return Ok(());
    }
    let problem_type = config.problem_type();
    let reason = if problem_type != ProblemType::MultiLabelClassification {
        format!("it is for multi-label classification; this is {problem_type}")
    } else if !recipe.evaluates() {
        "it needs evaluation rows; add --do_eval or --eval_strategy".to_owned()
    } else if recipe.data.threshold.is_some() {
        "--threshold is given, too; use one of them".to_owned()
    } else {
        return Ok(());
    };
    Err(CliError::usage(format!("--fit_threshold: {reason}")))
}

/// Returns the id of the label `pos_label`.
fn pos_label(data: &DataSection, config: &AutoConfig) -> Result<Option<usize>, CliError> {
    let Some(name) = &data.pos_label else { return Ok(None) };
    if config.problem_type() != ProblemType::SingleLabelClassification {
        return Err(CliError::usage(format!(
            "--pos_label is for single-label classification; this is {}",
            config.problem_type()
        )));
    }
    let labels = config.label_names();
    let by = |is_same: fn(&str, &str) -> bool| labels.iter().position(|label| is_same(label, name));
    match by(|a, b| a == b).or_else(|| by(|a, b| a.to_lowercase() == b.to_lowercase())) {
        Some(id) => Ok(Some(id)),
        None => Err(CliError::usage(format!(
            "unknown label --pos_label {name}; the labels are {}",
            labels.join(", ")
        ))),
    }
}
