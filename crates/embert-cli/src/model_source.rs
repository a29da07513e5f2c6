//! The model that a recipe or a flag names: a directory, the hub's cache, or random weights.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_data::{Dataset, Labels};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, from_pretrained};
use embert_text::Tokenizer;

use crate::error::CliError;
use crate::examples::{self, looks_like_a_path};
use crate::hub;
use crate::recipe::Recipe;

/// Config and tokenizer of a model whose weights come later.
pub(crate) struct ModelSource {
    pub(crate) config: AutoConfig,
    pub(crate) tokenizer: Tokenizer,
    /// Where the weights are; `None` when they are to be random.
    pub(crate) directory: Option<PathBuf>,
}

/// A model with its weights.
pub(crate) struct LoadedModel {
    pub(crate) model: AutoModelForSequenceClassification,
    pub(crate) newly_initialized: Vec<String>,
}

impl ModelSource {
    /// The start of a training run on these examples.
    pub(crate) fn of_recipe(recipe: &Recipe, train: &Dataset) -> Result<Self, CliError> {
        let mut source = match &recipe.model.scratch {
            Some(scratch) => {
                let (texts, _) = examples::columns(train);
                let tokenizer = Tokenizer::train(&texts, scratch.vocab_size)?;
                let config = scratch.config(tokenizer.vocab_size());
                Self { config, tokenizer, directory: None }
            }
            None => Self::of_directory(directory(&recipe.model.model_name_or_path)?)?,
        };
        source.config.set_labels(train.labels.names());
        source.config = recipe.model.with_dropout(source.config);
        Ok(source)
    }

    /// A model that is there.
    pub(crate) fn of_directory(directory: PathBuf) -> Result<Self, CliError> {
        let config = AutoConfig::from_dir(&directory)?;
        let tokenizer = Tokenizer::from_dir(&directory)?;
        if tokenizer.vocab_size() > config.vocab_size() {
            return Err(CliError::failed(format!(
                "{}: the tokenizer has {} tokens and the model's vocab_size is {}; they do not belong together",
                directory.display(),
                tokenizer.vocab_size(),
                config.vocab_size()
            )));
        }
        Ok(Self { config, tokenizer, directory: Some(directory) })
    }

    /// The labels that the model was trained on.
    pub(crate) fn labels(&self) -> Result<Labels, CliError> {
        Ok(Labels::new(self.config.label_names())?)
    }

    /// The weights, what is missing of them made new from `seed`.
    pub(crate) fn load(&self, seed: u64, device: &Device) -> Result<LoadedModel, CliError> {
        let Some(directory) = &self.directory else {
            let model = AutoModelForSequenceClassification::new(&self.config, seed, device);
            return Ok(LoadedModel { model, newly_initialized: vec![] });
        };
        let loaded = from_pretrained(directory, &self.config, seed, device)?;
        Ok(LoadedModel { model: loaded.model, newly_initialized: loaded.newly_initialized })
    }

    /// The weights, all of them from the directory.
    pub(crate) fn load_complete(
        &self,
        device: &Device,
    ) -> Result<AutoModelForSequenceClassification, CliError> {
        let directory = self.directory.as_deref().expect("a model that is evaluated is in a directory");
        Ok(from_pretrained(directory, &self.config, 0, device)?.complete(directory)?)
    }
}

/// A directory that is there, or the hub's.
pub(crate) fn directory(name: &str) -> Result<PathBuf, CliError> {
    let path = Path::new(name);
    tracing::debug!(name, is_directory = path.is_dir(), "looking for the model");
    match path.is_dir() {
        true => Ok(path.to_owned()),
        false if path.exists() => Err(CliError::failed(format!(
            "{name}: a model is a directory with config.json and model.safetensors"
        ))),
        false if looks_like_a_path(name) => {
            Err(CliError::failed(format!("{name}: there is no such directory")))
        }
        false => Ok(hub::model(name)?),
    }
}
