//! A fine-tuned model with the recipe of its run, for `evaluate` and `predict`.

use std::path::PathBuf;

use clap::ArgMatches;
use embert_inference::{Classifier, ModelDirectory};
use embert_text::Limit;

use crate::device::{self, DeviceContext};
use crate::encoded_examples::limit;
use crate::error::CliError;
use crate::metric_choice::MetricChoice;
use crate::recipe::Recipe;
use crate::{model_source, output, recipe, warnings};

/// A fine-tuned model without its weights.
pub(crate) struct FineTuned {
    pub(crate) model: ModelDirectory,
    pub(crate) recipe: Recipe,
    /// The directory of the model.
    pub(crate) directory: PathBuf,
    pub(crate) metrics: MetricChoice,
    limit: Limit,
    context: DeviceContext,
}

impl FineTuned {
    /// Opens the model of `--model` and `--base` on `--device`. Warns if texts are truncated to another length than in
    /// training.
    pub(crate) fn open(matches: &ArgMatches) -> Result<Self, CliError> {
        let context = device::of(matches)?;
        let directory =
            model_source::directory(matches.get_one::<String>("model").expect("--model is required"))?;
        let model = model_source::open(&directory, matches.get_one("base"))?;
        model.config.check_labels()?;
        model.tokenizer.notes().iter().for_each(output::warn);
        let recipe = recipe::of_model(&directory, &model, matches)?;
        context.require(recipe.train.precision())?;
        if recipe::has_recipe(&directory) {
            warnings::other_length(&directory, &recipe)?.iter().for_each(output::warn);
        }
        let limit = limit(&recipe.data, model.config.encoder.max_length())?;
        let metrics = MetricChoice::new(&recipe.data, &model.config)?;
        Ok(Self { model, recipe, directory, metrics, limit, context })
    }

    /// Reads the weights.
    pub(crate) fn load(self) -> Result<Classifier, CliError> {
        let batching = self.recipe.train.evaluation_batching(self.limit.max_length(), self.context.padding);
        let mut classifier = Classifier::load(self.model, self.limit, batching, &self.context.device)?;
        classifier.thresholds = self.metrics.thresholds;
        Ok(classifier)
    }
}
