//! A fine-tuned model, and how its run read texts: `evaluate` and `predict` open it before they read any.

use clap::ArgMatches;
use embert_inference::Batching;
use embert_model::AutoModelForSequenceClassification;
use embert_text::{EncodedTexts, Limit};

use crate::device::{self, Place};
use crate::error::CliError;
use crate::model_source::{self, ModelSource};
use crate::recipe::Recipe;
use crate::{examples, output, recipe_files, warnings};

/// Everything but the weights.
pub(crate) struct FineTuned {
    pub(crate) source: ModelSource,
    pub(crate) recipe: Recipe,
    /// The recipe is that of the model's run, not a default one.
    pub(crate) has_recipe: bool,
    limit: Limit,
    place: Place,
}

impl FineTuned {
    /// Finds what `--model`, `--base` and `--device` name, and warns of texts that will be cut elsewhere than in training.
    pub(crate) fn open(matches: &ArgMatches) -> Result<Self, CliError> {
        let place = device::of(matches)?;
        let directory =
            model_source::directory(matches.get_one::<String>("model").expect("--model is required"))?;
        let source = ModelSource::of_directory(directory.clone(), matches.get_one("base"))?;
        source.config.require_single_label()?;
        source.notes().iter().for_each(output::warn);
        let recipe = recipe_files::of_model(&directory, &source, matches)?;
        place.require(recipe.train.precision())?;
        if let Some(warning) = warnings::other_length(&directory, &recipe)? {
            output::warn(&warning);
        }
        let limit = examples::limit(&recipe.data, source.config.encoder.max_position_embeddings)?;
        Ok(Self { source, recipe, has_recipe: recipe_files::has_recipe(&directory), limit, place })
    }

    /// The model with its weights, every one of them read.
    pub(crate) fn load(&self) -> Result<AutoModelForSequenceClassification, CliError> {
        self.source.load_complete(&self.place.device)
    }

    /// The tokens of texts, cut as they were in training.
    pub(crate) fn encode<T: AsRef<str> + Sync>(&self, texts: &[T]) -> EncodedTexts {
        examples::encode(&self.source.tokenizer, texts, self.limit)
    }

    /// How texts share a batch.
    pub(crate) fn batching(&self) -> Batching {
        self.recipe.train.evaluation_batching(self.limit.max_length(), self.place.padding)
    }
}
