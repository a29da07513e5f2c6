//! The model that a recipe or a flag names: a directory, the hub's cache, an adapter and its base, or random weights.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_data::{Dataset, Labels};
use embert_model::{
    ADAPTER_MODEL_CONFIG, Adapter, AutoConfig, AutoModelForSequenceClassification, LoraConfig, Pretrained,
    add_adapter, from_pretrained, from_pretrained_with_new_head,
};
use embert_text::Tokenizer;

use crate::error::CliError;
use crate::head::Head;
use crate::recipe::Recipe;
use crate::{examples, hub, local_path, output};

/// Config and tokenizer of a model whose weights come later.
pub(crate) struct ModelSource {
    pub(crate) config: AutoConfig,
    pub(crate) tokenizer: Tokenizer,
    /// Where the weights are, those of the base if there is an adapter; `None` for random weights.
    pub(crate) directory: Option<PathBuf>,
    adapter: AdapterSource,
    head: Head,
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
    /// Tensors of the checkpoint that the model has no place for: other heads.
    pub(crate) unused: Vec<String>,
}

impl ModelSource {
    /// The start of a training run on these examples.
    pub(crate) fn of_recipe(recipe: &Recipe, train: &Dataset, head: Head) -> Result<Self, CliError> {
        let mut source = match &recipe.model.scratch {
            Some(scratch) => {
                let (texts, _) = examples::columns(train);
                let tokenizer = Tokenizer::train(&texts, scratch.vocab_size)?;
                let config = scratch.config(tokenizer.vocab_size());
                Self { config, tokenizer, directory: None, adapter: AdapterSource::None, head }
            }
            None => Self::of_plain_directory(base_of_training(&recipe.model.model_name_or_path)?)?,
        };
        source.head = head;
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
        Self { config, tokenizer, directory: Some(directory), adapter: AdapterSource::None, head: Head::Kept }
            .checked()
    }

    /// Labels and tokenizer are those in the adapter's directory, if they are there: PEFT saves neither.
    fn of_adapter(directory: &Path, base: Option<&String>) -> Result<Self, CliError> {
        let adapter = open_adapter(directory)?;
        let base = base_directory(directory, &adapter, base)?;
        let config = adapter_config(directory, &adapter, &base)?;
        let has_tokenizer = ["tokenizer.json", "vocab.txt"].iter().any(|name| directory.join(name).is_file());
        let tokenizer = Tokenizer::from_dir(if has_tokenizer { directory } else { &base })?;
        let adapter = AdapterSource::Saved(adapter);
        Self { config, tokenizer, directory: Some(base), adapter, head: Head::Kept }.checked()
    }

    fn checked(self) -> Result<Self, CliError> {
        let (tokens, vocab_size) = (self.tokenizer.vocab_size(), self.config.encoder.vocab_size);
        match (&self.directory, tokens > vocab_size) {
            (Some(directory), true) => Err(CliError::failed(format!(
                "{}: the tokenizer has {tokens} tokens and the model's vocab_size is {vocab_size}; they do not belong together",
                directory.display(),
            ))),
            _ => Ok(self),
        }
    }

    /// What to tell the user about the files that were read.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.tokenizer.notes().iter().map(ToString::to_string).collect()
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

    /// The weights in a directory, without its head if another one takes its place.
    fn load_base(
        &self,
        directory: &Path,
        seed: u64,
        device: &Device,
    ) -> Result<Pretrained<AutoModelForSequenceClassification>, CliError> {
        let brings_head =
            matches!(&self.adapter, AdapterSource::Saved(adapter) if adapter.num_labels().is_some());
        Ok(match brings_head || self.head == Head::New {
            true => from_pretrained_with_new_head(directory, &self.config, seed, device)?,
            false => from_pretrained(directory, &self.config, seed, device)?,
        })
    }

    /// The weights of a checkpoint of this model's training; under an adapter, the base's are its own.
    pub(crate) fn load_checkpoint(
        &self,
        checkpoint: &Path,
        seed: u64,
        device: &Device,
    ) -> Result<LoadedModel, CliError> {
        let model = match self.lora() {
            Some(_) => {
                let base = self.directory.as_deref().expect("an adapter has a base");
                let base = self.load_base(base, seed, device)?;
                Adapter::open(checkpoint)?.load(base.model, &base.newly_initialized)?
            }
            // the base's config may be that of an encoder without a head
            None => {
                let config = AutoConfig::from_dir(checkpoint)?;
                from_pretrained(checkpoint, &config, seed, device)?.complete(checkpoint)?
            }
        };
        Ok(LoadedModel { model, newly_initialized: vec![], unused: vec![] })
    }

    /// The weights, all of them from the directory.
    pub(crate) fn load_complete(
        &self,
        device: &Device,
    ) -> Result<AutoModelForSequenceClassification, CliError> {
        let directory = self.directory.as_deref().expect("a model that is evaluated is in a directory");
        let base = self.load_base(directory, 0, device)?;
        match &self.adapter {
            AdapterSource::Saved(adapter) => Ok(adapter.load(base.model, &base.newly_initialized)?),
            _ => Ok(base.complete(directory)?),
        }
    }
}

/// The config of a base model with the labels of its adapter.
pub(crate) fn adapter_config(
    directory: &Path,
    adapter: &Adapter,
    base: &Path,
) -> Result<AutoConfig, CliError> {
    let own = [ADAPTER_MODEL_CONFIG, "config.json"].map(|name| directory.join(name));
    match own.iter().find(|path| path.is_file()) {
        Some(path) => Ok(AutoConfig::from_file(path)?),
        None => Ok(with_labels_of(adapter, AutoConfig::from_dir(base)?)),
    }
}

/// The directory of the model that training begins with.
pub(crate) fn base_of_training(name: &str) -> Result<PathBuf, CliError> {
    let directory = directory(name)?;
    refuse_adapter(&directory)?;
    Ok(directory)
}

/// Refuses to train an adapter as if it were a model.
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

/// An adapter, with a note about keys of its settings that have no meaning here.
fn open_adapter(directory: &Path) -> Result<Adapter, CliError> {
    let adapter = Adapter::open(directory)?;
    if !adapter.unknown_keys.is_empty() {
        let keys = adapter.unknown_keys.join(", ");
        output::tell(format_args!(
            "note: {}: unknown keys of adapter_config.json are ignored: {keys}",
            directory.display()
        ));
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
        false => match local_path::missing(name) {
            Some(message) => Err(CliError::failed(message)),
            None => hub::model(name).map_err(|error| local_path::with_advice(error, name)),
        },
    }
}
