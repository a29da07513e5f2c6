//! A fine-tuned model and the recipe of its run: `evaluate` and `predict` open both before they read texts.

use clap::ArgMatches;
use embert_inference::{Classifier, ModelDirectory};
use embert_text::Limit;

use crate::device::{self, Place};
use crate::encoded_examples::limit;
use crate::error::CliError;
use crate::recipe::Recipe;
use crate::{model_source, output, recipe, warnings};

/// Everything except the weights.
pub(crate) struct FineTuned {
    pub(crate) model: ModelDirectory,
    pub(crate) recipe: Recipe,
    /// The recipe is that of the model's run, not a default one.
    pub(crate) has_recipe: bool,
    limit: Limit,
    place: Place,
}

impl FineTuned {
    /// Opens what `--model`, `--base` and `--device` name. Warns if texts are cut to another length than in training.
    pub(crate) fn open(matches: &ArgMatches) -> Result<Self, CliError> {
        let place = device::of(matches)?;
        let directory =
            model_source::directory(matches.get_one::<String>("model").expect("--model is required"))?;
        let model = model_source::open(&directory, matches.get_one("base"))?;
        model.config.require_single_label()?;
        model.tokenizer.notes().iter().for_each(output::warn);
        let recipe = recipe::of_model(&directory, &model, matches)?;
        place.require(recipe.train.precision())?;
        let has_recipe = recipe::has_recipe(&directory);
        if has_recipe {
            warnings::other_length(&directory, &recipe)?.iter().for_each(output::warn);
        }
        let limit = limit(&recipe.data, model.config.encoder.max_position_embeddings)?;
        Ok(Self { model, recipe, has_recipe, limit, place })
    }

    /// Reads the weights.
    pub(crate) fn load(self) -> Result<Classifier, CliError> {
        let batching = self.recipe.train.evaluation_batching(self.limit.max_length(), self.place.padding);
        Ok(Classifier::load(self.model, self.limit, batching, &self.place.device)?)
    }
}
