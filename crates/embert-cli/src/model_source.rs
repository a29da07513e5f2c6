//! The model that a recipe or a flag names: a directory, the hub's cache, an adapter and its base, or random weights.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_data::{Dataset, Labels};
use embert_model::{
    ADAPTER_MODEL_CONFIG, Adapter, AutoConfig, AutoModelForSequenceClassification, LoraConfig, add_adapter,
    from_pretrained,
};
use embert_text::Tokenizer;

use crate::error::CliError;
use crate::examples::{self, looks_like_a_path};
use crate::hub;
use crate::recipe::Recipe;

/// Config and tokenizer of a model whose weights come later.
pub(crate) struct ModelSource {
    pub(crate) config: AutoConfig,
    pub(crate) tokenizer: Tokenizer,
    /// Where the weights are, those of the base where there is an adapter; `None` when they are to be random.
    pub(crate) directory: Option<PathBuf>,
    adapter: AdapterSource,
}

/// Where a model's adapter comes from.
enum AdapterSource {
    None,
    New(LoraConfig),
    Saved(Adapter),
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
                Self { config, tokenizer, directory: None, adapter: AdapterSource::None }
            }
            None => Self::of_plain_directory(directory(&recipe.model.model_name_or_path)?)?,
        };
        source.config.set_labels(train.labels.names());
        source.config = recipe.model.with_dropout(source.config);
        source.adapter = match (&recipe.lora, &recipe.model.adapter) {
            (Some(lora), _) => AdapterSource::New(lora.clone()),
            (None, Some(name)) => AdapterSource::Saved(open_adapter(&directory(name)?)?),
            (None, None) => AdapterSource::None,
        };
        Ok(source)
    }

    /// A model that is there: whole, or as an adapter of `base` or of the model that it names.
    pub(crate) fn of_directory(directory: PathBuf, base: Option<&String>) -> Result<Self, CliError> {
        match Adapter::is_in(&directory) {
            true => Self::of_adapter(&directory, base),
            false if base.is_some() => {
                Err(CliError::usage(format!("--base is given, but {} holds no adapter", directory.display())))
            }
            false => Self::of_plain_directory(directory),
        }
    }

    fn of_plain_directory(directory: PathBuf) -> Result<Self, CliError> {
        let config = AutoConfig::from_dir(&directory)?;
        let tokenizer = Tokenizer::from_dir(&directory)?;
        Self { config, tokenizer, directory: Some(directory), adapter: AdapterSource::None }.checked()
    }

    /// Labels and tokenizer are those beside the adapter, where they are there: PEFT saves neither.
    fn of_adapter(directory: &Path, base: Option<&String>) -> Result<Self, CliError> {
        let adapter = open_adapter(directory)?;
        let base = base_directory(directory, &adapter, base)?;
        let saved = [ADAPTER_MODEL_CONFIG, "config.json"].map(|name| directory.join(name));
        let config = match saved.iter().find(|path| path.is_file()) {
            Some(path) => AutoConfig::from_file(path)?,
            None => with_labels_of(&adapter, AutoConfig::from_dir(&base)?),
        };
        let has_tokenizer = ["tokenizer.json", "vocab.txt"].iter().any(|name| directory.join(name).is_file());
        let tokenizer = Tokenizer::from_dir(if has_tokenizer { directory } else { &base })?;
        Self { config, tokenizer, directory: Some(base), adapter: AdapterSource::Saved(adapter) }.checked()
    }

    fn checked(self) -> Result<Self, CliError> {
        let (tokens, vocab_size) = (self.tokenizer.vocab_size(), self.config.vocab_size());
        match (&self.directory, tokens > vocab_size) {
            (Some(directory), true) => Err(CliError::failed(format!(
                "{}: the tokenizer has {tokens} tokens and the model's vocab_size is {vocab_size}; they do not belong together",
                directory.display(),
            ))),
            _ => Ok(self),
        }
    }

    /// The labels that the model was trained on.
    pub(crate) fn labels(&self) -> Result<Labels, CliError> {
        Ok(Labels::new(self.config.label_names())?)
    }

    /// The settings of the adapter, where there is one.
    pub(crate) fn lora(&self) -> Option<&LoraConfig> {
        match &self.adapter {
            AdapterSource::None => None,
            AdapterSource::New(config) => Some(config),
            AdapterSource::Saved(adapter) => Some(&adapter.config),
        }
    }

    /// The weights, what is missing of them made new from `seed`.
    pub(crate) fn load(&self, seed: u64, device: &Device) -> Result<LoadedModel, CliError> {
        let Some(directory) = &self.directory else {
            let model = AutoModelForSequenceClassification::new(&self.config, seed, device);
            return Ok(LoadedModel { model, newly_initialized: vec![] });
        };
        let loaded = from_pretrained(directory, &self.config, seed, device)?;
        let (model, newly_initialized) = (loaded.model, loaded.newly_initialized);
        Ok(match &self.adapter {
            AdapterSource::None => LoadedModel { model, newly_initialized },
            AdapterSource::New(config) => {
                let model = add_adapter(model, config, seed)
                    .map_err(|error| CliError::usage(format!("lora.{error}")))?;
                LoadedModel { model, newly_initialized }
            }
            AdapterSource::Saved(adapter) => {
                let model = adapter.load(model, &newly_initialized)?;
                LoadedModel { model, newly_initialized: vec![] }
            }
        })
    }

    /// The weights of a checkpoint of this model's training; under an adapter, the base's are its own.
    pub(crate) fn load_checkpoint(
        &self,
        checkpoint: &Path,
        seed: u64,
        device: &Device,
    ) -> Result<LoadedModel, CliError> {
        let directory = match self.lora() {
            Some(_) => self.directory.as_deref().expect("an adapter has a base"),
            None => checkpoint,
        };
        let loaded = from_pretrained(directory, &self.config, seed, device)?;
        let model = match self.lora() {
            Some(_) => Adapter::open(checkpoint)?.load(loaded.model, &loaded.newly_initialized)?,
            None => loaded.complete(checkpoint)?,
        };
        Ok(LoadedModel { model, newly_initialized: vec![] })
    }

    /// The weights, all of them from the directory.
    pub(crate) fn load_complete(
        &self,
        device: &Device,
    ) -> Result<AutoModelForSequenceClassification, CliError> {
        let directory = self.directory.as_deref().expect("a model that is evaluated is in a directory");
        let base = from_pretrained(directory, &self.config, 0, device)?;
        match &self.adapter {
            AdapterSource::Saved(adapter) => Ok(adapter.load(base.model, &base.newly_initialized)?),
            _ => Ok(base.complete(directory)?),
        }
    }
}

/// An adapter, with a note about what its settings say that means nothing here.
fn open_adapter(directory: &Path) -> Result<Adapter, CliError> {
    let adapter = Adapter::open(directory)?;
    if !adapter.unknown_keys.is_empty() {
        let keys = adapter.unknown_keys.join(", ");
        eprintln!("note: {}: unknown keys of adapter_config.json are ignored: {keys}", directory.display());
    }
    Ok(adapter)
}

/// The base that is given, or the one that the adapter names.
fn base_directory(
    directory_of_adapter: &Path,
    adapter: &Adapter,
    base: Option<&String>,
) -> Result<PathBuf, CliError> {
    let adapter_dir = directory_of_adapter.display();
    match (base, &adapter.base_model_name_or_path) {
        (Some(base), _) => directory(base),
        (None, Some(name)) => directory(name).map_err(|error| {
            let message = format!(
                "{}; it is the base of the adapter in {adapter_dir}: --base says where it is",
                error.message
            );
            CliError { message, ..error }
        }),
        (None, None) => Err(CliError::usage(format!(
            "{adapter_dir}: the adapter names no base model; give it with --base"
        ))),
    }
}

/// The base's config with as many labels as the adapter's head has.
fn with_labels_of(adapter: &Adapter, mut config: AutoConfig) -> AutoConfig {
    if let Some(num_labels) =
        adapter.num_labels().filter(|&num_labels| num_labels != config.label_names().len())
    {
        config.set_labels((0..num_labels).map(|id| format!("LABEL_{id}")));
    }
    config
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
