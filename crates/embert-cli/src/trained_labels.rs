//! Further training of a fine-tuned model. Keeps its labels and head if they include the labels of the data.

use std::fmt::Display;

use embert_data::Labels;
use embert_inference::adapter_config;
use embert_model::{Adapter, AutoConfig, ModelError, has_classification_head};

use crate::error::CliError;
use crate::examples::{self, Examples, ExamplesError, KnownLabels};
use crate::head::Head;
use crate::recipe::{ModelSection, Recipe};
use crate::{model_source, output, problem_type};

/// The head of the model to train.
enum Trained {
    /// No head.
    Nothing,
    Labels(KnownLabels),
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
        Trained::Labels(known) => {
            if let Some(reason) = other_task(recipe, &known) {
                return Ok((new_head(recipe, &reason, Some(&known.labels))?, Head::New));
            }
            match examples::read_examples(recipe, Some(&known)) {
                Err(ExamplesError::Data(error)) if fits_another_head(recipe) => {
                    Ok((new_head(recipe, &error, Some(&known.labels))?, Head::New))
                }
                other => Ok((other?, Head::Kept)),
            }
        }
    }
}

/// Returns the reason why the recipe has another problem type than the head.
fn other_task(recipe: &Recipe, known: &KnownLabels) -> Option<String> {
    let wanted = recipe.data.problem_type.map(problem_type::of_model)?;
    (wanted != known.problem_type)
        .then(|| format!("the problem type is {wanted}, and that of the head {}", known.problem_type))
}

/// Returns true if the data can be read without the labels of the head.
fn fits_another_head(recipe: &Recipe) -> bool {
    examples::read_examples(recipe, None).is_ok()
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
    match config.check_labels() {
        Ok(()) => Ok(Trained::Labels(KnownLabels::of(&config)?)),
        Err(error) => Ok(Trained::OtherHead(error)),
    }
}

fn shown(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = names.len().saturating_sub(SHOWN);
    let names = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}
