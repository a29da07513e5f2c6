//! Labels of a fine-tuned model: training keeps them, their order and its head if the labels of the data are among them.

use std::path::Path;

use embert_data::{DataError, Labels};
use embert_model::{Adapter, AutoConfig, has_classification_head};

use crate::error::CliError;
use crate::examples::{self, Examples, ExamplesError};
use crate::model_source;
use crate::output;
use crate::recipe::{ModelSection, Recipe};

/// The head that training begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// The one of the checkpoint, if it has one.
    Kept,
    /// A new one, though the checkpoint has one: its labels are others.
    New,
}

/// Reads the examples of a recipe, with the labels that the model keeps.
///
/// # Errors
/// If labels of the data are not among those of a fine-tuned model, and the recipe does not ask for a new head.
pub(crate) fn read_examples(recipe: &Recipe) -> Result<(Examples, Head), CliError> {
    examples::locate(recipe)?;
    let Some(labels) = of_model(&recipe.model)? else {
        return Ok((examples::read_examples(recipe, None)?, Head::Kept));
    };
    match examples::read_examples(recipe, Some(&labels)) {
        Err(ExamplesError::Data(error @ DataError::UnknownLabel { .. })) => {
            new_head(recipe, &labels, &error).map(|examples| (examples, Head::New))
        }
        other => Ok((other?, Head::Kept)),
    }
}

fn new_head(recipe: &Recipe, labels: &Labels, error: &DataError) -> Result<Examples, CliError> {
    if !recipe.model.ignore_mismatched_sizes {
        return Err(CliError::rejected(format!(
            "{error}: these are the labels of the fine-tuned model {}; --ignore_mismatched_sizes trains a new head for the \
             labels of the data",
            recipe.model.name()
        )));
    }
    let examples = examples::read_examples(recipe, None)?;
    output::print(format_args!(
        "a new head is trained: the labels of the data are {}, those of the model {}",
        shown(examples.train.labels.names()),
        shown(labels.names())
    ));
    Ok(examples)
}

/// The labels of a fine-tuned model or adapter; `None` for a base model or random weights, whose head is new.
fn of_model(model: &ModelSection) -> Result<Option<Labels>, CliError> {
    if model.scratch.is_some() {
        return Ok(None);
    }
    let base = model_source::base_of_training(&model.model_name_or_path)?;
    let config = match &model.adapter {
        Some(adapter) => {
            let directory = model_source::directory(adapter)?;
            Some(model_source::adapter_config(&directory, &Adapter::open(&directory)?, &base)?)
        }
        None => fine_tuned(&base)?,
    };
    let labels = config.map(|config| Labels::new(config.label_names())).transpose()?;
    Ok(labels)
}

fn fine_tuned(directory: &Path) -> Result<Option<AutoConfig>, CliError> {
    let config = AutoConfig::from_dir(directory)?;
    let is_fine_tuned = has_classification_head(directory, &config)?;
    Ok(is_fine_tuned.then_some(config))
}

fn shown(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = names.len().saturating_sub(SHOWN);
    let names = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}
