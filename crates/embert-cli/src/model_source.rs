//! Finds the directory of a model, and opens the model that training starts from.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_data::Dataset;
use embert_inference::ModelDirectory;
use embert_model::{
    Adapter, AutoConfig, AutoModelForSequenceClassification, LoraConfig, Pretrained, add_adapter,
    from_pretrained, from_pretrained_with_new_head,
};
use embert_text::Tokenizer;

use crate::encoded_examples::texts;
use crate::error::CliError;
use crate::head::Head;
use crate::recipe::Recipe;
use crate::{hub, local_path, output, problem_type};

/// A model whose config and tokenizer are read, but not its weights.
pub(crate) struct ModelSource {
    pub(crate) config: AutoConfig,
    pub(crate) tokenizer: Tokenizer,
    /// The directory of the weights (with an adapter: of the base model); `None` for random weights.
    pub(crate) directory: Option<PathBuf>,
    adapter: AdapterSource,
    head: Head,
}

/// The origin of a model's adapter.
enum AdapterSource {
    None,
    New(LoraConfig),
    Saved(Adapter),
}

/// A model with its weights.
pub(crate) struct LoadedModel {
    pub(crate) model: AutoModelForSequenceClassification,
    pub(crate) newly_initialized: Vec<String>,
    /// Tensors of the checkpoint that the model does not use, such as other heads.
    pub(crate) unused: Vec<String>,
}

impl ModelSource {
    /// Opens the model that a training run on these examples starts from.
    pub(crate) fn of_recipe(recipe: &Recipe, train: &Dataset, head: Head) -> Result<Self, CliError> {
        let mut source = match &recipe.model.scratch {
            Some(scratch) => {
                let (mut all, pairs) = texts(train);
                all.extend(pairs.into_iter().flatten());
                let tokenizer = Tokenizer::train(&all, scratch.vocab_size)?;
                let config = scratch.config(tokenizer.vocab_size());
                Self { config, tokenizer, directory: None, adapter: AdapterSource::None, head }
            }
            None => {
                let base = base_of_training(&recipe.model.model_name_or_path)?;
                let ModelDirectory { config, tokenizer, weights, .. } = ModelDirectory::open(&base, None)?;
                Self { config, tokenizer, directory: Some(weights), adapter: AdapterSource::None, head }
            }
        };
        source.config.set_labels(train.labels.names());
        source.config.set_problem_type(problem_type::of_data(train.problem_type));
        source.config = recipe.model.with_dropout(source.config);
        source.adapter = match (&recipe.lora, &recipe.model.adapter) {
            (Some(lora), _) => AdapterSource::New(lora.clone()),
            (None, Some(name)) => AdapterSource::Saved(open_adapter(&directory(name)?)?),
            (None, None) => AdapterSource::None,
        };
        Ok(source)
    }

    /// Returns the settings of the adapter, if there is one.
    pub(crate) fn lora(&self) -> Option<&LoraConfig> {
        match &self.adapter {
            AdapterSource::None => None,
            AdapterSource::New(config) => Some(config),
            AdapterSource::Saved(adapter) => Some(&adapter.config),
        }
    }

    /// Reads the weights. Initializes missing ones from `seed`.
    pub(crate) fn load(&self, seed: u64, device: &Device) -> Result<LoadedModel, CliError> {
        let Some(directory) = &self.directory else {
            let model = AutoModelForSequenceClassification::new(&self.config, seed, device);
            return Ok(LoadedModel { model, newly_initialized: vec![], unused: vec![] });
        };
        let Pretrained { model, newly_initialized, unused, .. } = self.load_base(directory, seed, device)?;
        let (model, newly_initialized) = match (&self.adapter, self.head) {
            (AdapterSource::None, _) => (model, newly_initialized),
            (AdapterSource::New(config), _) => {
                let adapted = add_adapter(model, config, seed);
                let model = adapted.map_err(|error| CliError::usage(format!("lora.{error}")))?;
                (model, newly_initialized)
            }
            (AdapterSource::Saved(adapter), Head::Kept) => (adapter.load(model, &newly_initialized)?, vec![]),
            (AdapterSource::Saved(adapter), Head::New) => {
                (adapter.load_with_new_head(model, &newly_initialized, seed)?, newly_initialized)
            }
        };
        Ok(LoadedModel { model, newly_initialized, unused })
    }

    /// Reads the base model, without its head if the adapter or the data need another one.
    fn load_base(
        &self,
        directory: &Path,
        seed: u64,
        device: &Device,
    ) -> Result<Pretrained<AutoModelForSequenceClassification>, CliError> {
        let adapter_has_head =
            matches!(&self.adapter, AdapterSource::Saved(adapter) if adapter.num_labels().is_some());
        let is_new = adapter_has_head || self.head == Head::New;
        let load = if is_new { from_pretrained_with_new_head } else { from_pretrained };
        Ok(load(directory, &self.config, seed, device)?)
    }

    /// Reads the weights of a checkpoint. A checkpoint of an adapter does not hold the base model.
    pub(crate) fn load_checkpoint(
        &self,
        checkpoint: &Path,
        seed: u64,
        device: &Device,
    ) -> Result<LoadedModel, CliError> {
        let model = match self.lora() {
            Some(config) => {
                let base = self.directory.as_deref().expect("an adapter has a base");
                let base = self.load_base(base, seed, device)?;
                Adapter::open(checkpoint)?.resume(base.model, &base.newly_initialized, config)?
            }
            // The base model may be an encoder without a head.
            None => {
                let config = AutoConfig::from_dir(checkpoint)?;
                from_pretrained(checkpoint, &config, seed, device)?.complete(checkpoint)?
            }
        };
        Ok(LoadedModel { model, newly_initialized: vec![], unused: vec![] })
    }
}

/// Returns the directory of the model that training starts from. Fails for an adapter.
pub(crate) fn base_of_training(name: &str) -> Result<PathBuf, CliError> {
    let directory = directory(name)?;
    refuse_adapter(&directory)?;
    Ok(directory)
}

/// Fails if the directory holds an adapter instead of a complete model.
fn refuse_adapter(directory: &Path) -> Result<(), CliError> {
    if !Adapter::is_in(directory) {
        return Ok(());
    }
    let base = Adapter::open(directory)?.base_model_name_or_path.unwrap_or("BASE".into());
    let directory = directory.display();
    Err(CliError::usage(format!(
        "--model {directory}: this is an adapter; to train it further, give its base as --model {base} and the adapter \
         as --adapter {directory}"
    )))
}

/// Opens an adapter. Prints a note about unknown keys of adapter_config.json.
fn open_adapter(directory: &Path) -> Result<Adapter, CliError> {
    let adapter = Adapter::open(directory)?;
    if !adapter.unknown_keys.is_empty() {
        let keys = adapter.unknown_keys.join(", ");
        output::print_stderr(format_args!(
            "note: {}: unknown keys of adapter_config.json are ignored: {keys}",
            directory.display()
        ));
    }
    Ok(adapter)
}

/// Opens a complete model, or an adapter of `base` or of the base model that the adapter names.
pub(crate) fn open(directory: &Path, base: Option<&String>) -> Result<ModelDirectory, CliError> {
    let base = match (Adapter::is_in(directory), base) {
        (true, base) => Some(base_directory(directory, base)?),
        (false, None) => None,
        (false, Some(_)) => {
            let directory = directory.display();
            return Err(CliError::usage(format!("--base is given, but {directory} holds no adapter")));
        }
    };
    Ok(ModelDirectory::open(directory, base.as_deref())?)
}

/// Returns the directory of `base`, else of the base model that the adapter names.
fn base_directory(adapter_dir: &Path, base: Option<&String>) -> Result<PathBuf, CliError> {
    let adapter = open_adapter(adapter_dir)?;
    let adapter_dir = adapter_dir.display();
    match (base, &adapter.base_model_name_or_path) {
        (Some(base), _) => directory(base),
        (None, Some(name)) => directory(name).map_err(|error| {
            let message = format!(
                "{}; it is the base of the adapter in {adapter_dir}; name its directory with --base",
                error.message
            );
            CliError { message, ..error }
        }),
        (None, None) => Err(CliError::usage(format!(
            "{adapter_dir}: the adapter names no base model; give it with --base"
        ))),
    }
}

/// Returns a local directory of this name, else downloads the model from the hub.
pub(crate) fn directory(name: &str) -> Result<PathBuf, CliError> {
    let path = Path::new(name);
    tracing::debug!(name, is_directory = path.is_dir(), "looking for the model");
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    if path.exists() {
        let message = format!("{name}: a model is a directory with config.json and model.safetensors");
        return Err(CliError::failed(message));
    }
    match local_path::missing(name) {
        Some(message) => Err(CliError::failed(message)),
        None => hub::model(name).map_err(|error| local_path::with_advice(error, name)),
    }
}
