//! Further training of a fine-tuned model. Keeps its labels and head if they include the labels of the data.

use std::fmt::Display;
use std::path::Path;

use embert_data::{DataError, Labels};
use embert_inference::adapter_config;
use embert_model::{Adapter, AutoConfig, ModelError, ProblemType, has_classification_head};

use crate::error::CliError;
use crate::examples::{self, Examples, ExamplesError};
use crate::head::Head;
use crate::recipe::{ModelSection, Recipe};
use crate::{model_source, output};

/// The head of the model to train.
enum Trained {
    /// No head.
    Nothing,
    Labels(Labels),
    /// A head for another problem type, and the reason why it cannot be kept.
    OtherHead(ModelError),
}

/// Reads the examples of a recipe, with the labels of a fine-tuned model.
///
/// # Errors
/// If the head of a fine-tuned model does not fit the data, and the recipe does not ask for a new head.
pub(crate) fn read_examples(recipe: &Recipe) -> Result<(Examples, Head), CliError> {
    examples::locate(recipe)?;
    match trained(&recipe.model)? {
        Trained::Nothing => Ok((examples::read_examples(recipe, None)?, Head::Kept)),
        Trained::OtherHead(error) => Ok((new_head(recipe, &error, None)?, Head::New)),
        Trained::Labels(labels) => match examples::read_examples(recipe, Some(&labels)) {
            Err(ExamplesError::Data(error @ DataError::UnknownLabel { .. })) => {
                Ok((new_head(recipe, &error, Some(&labels))?, Head::New))
            }
            other => Ok((other?, Head::Kept)),
        },
    }
}

/// Reads the examples with their own labels for a new head. Fails with `reason` if the recipe does not ask for one.
fn new_head(recipe: &Recipe, reason: &dyn Display, labels: Option<&Labels>) -> Result<Examples, CliError> {
    let name = recipe.model.name();
    if !recipe.model.ignore_mismatched_sizes {
        return Err(CliError::rejected(format!(
            "{reason}: the head of the fine-tuned model {name} cannot be kept; --ignore_mismatched_sizes trains a new one for \
             the labels of the data"
        )));
    }
    let examples = examples::read_examples(recipe, None)?;
    let was = labels.map_or(format!("({reason})"), |labels| format!("had {}", shown(labels.names())));
    output::print(format_args!(
        "a new head is trained for the labels {}; {name} {was}",
        shown(examples.train.labels.names())
    ));
    Ok(examples)
}

fn trained(model: &ModelSection) -> Result<Trained, CliError> {
    if model.scratch.is_some() {
        return Ok(Trained::Nothing);
    }
    let base = model_source::base_of_training(&model.model_name_or_path)?;
    let config = match &model.adapter {
        Some(adapter) => {
            let directory = model_source::directory(adapter)?;
            adapter_config(&directory, &Adapter::open(&directory)?, &base)?
        }
        None => {
            let config = AutoConfig::from_dir(&base)?;
            if !has_classification_head(&base, &config)? {
                return Ok(Trained::Nothing);
            }
            config
        }
    };
    Ok(match require_single_label(&config, &base) {
        Ok(()) => Trained::Labels(Labels::new(config.label_names())?),
        Err(error) => Trained::OtherHead(error),
    })
}

/// Fails if the labels are invalid, or the model of this directory is not for single-label classification.
pub(crate) fn require_single_label(config: &AutoConfig, directory: &Path) -> Result<(), ModelError> {
    config.check_labels()?;
    match config.problem_type() {
        ProblemType::SingleLabelClassification => Ok(()),
        other => {
            let reason = format!("problem_type is {other}; only single_label_classification is supported");
            Err(ModelError::Config { path: directory.join("config.json"), reason })
        }
    }
}

fn shown(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = names.len().saturating_sub(SHOWN);
    let names = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}
