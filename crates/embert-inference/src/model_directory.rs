//! Model directories: a complete model, or an adapter with its base model.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_model::{
    ADAPTER_MODEL_CONFIG, Adapter, AutoConfig, AutoModelForSequenceClassification, ModelError,
    from_pretrained, from_pretrained_with_new_head,
};
use embert_text::Tokenizer;

use crate::error::InferenceError;

/// Contents of a model directory, except the weights.
pub struct ModelDirectory {
    /// The config. For an adapter, with the labels of the adapter.
    pub config: AutoConfig,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The directory of the weights; for an adapter, the directory of its base model.
    pub weights: PathBuf,
    /// The adapter, if the directory contains one.
    pub adapter: Option<Adapter>,
}

impl ModelDirectory {
    /// Opens a directory written by transformers, peft or embert.
    ///
    /// `base` is the directory of an adapter's base model. If it is `None`, the adapter's config names it.
    /// Labels and tokenizer come from the directory of the adapter if it has them, else from the base model.
    ///
    /// # Errors
    /// [`InferenceError::NoBase`] and [`InferenceError::BaseNotFound`] if the base model of an adapter is
    /// unknown; [`InferenceError::NoAdapter`] if `base` is given without an adapter;
    /// [`InferenceError::VocabSize`] if the tokenizer does not fit the model; and errors of reading the
    /// files.
    pub fn open(directory: &Path, base: Option<&Path>) -> Result<Self, InferenceError> {
        if Adapter::is_in(directory) {
            return Self::open_adapter(directory, base);
        }
        if base.is_some() {
            return Err(InferenceError::NoAdapter { directory: directory.to_owned() });
        }
        let config = AutoConfig::from_dir(directory)?;
        let tokenizer = Tokenizer::from_dir(directory)?;
        Self { config, tokenizer, weights: directory.to_owned(), adapter: None }.check_vocab_size()
    }

    fn open_adapter(directory: &Path, base: Option<&Path>) -> Result<Self, InferenceError> {
        let adapter = Adapter::open(directory)?;
        let base = base.map_or_else(|| base_of(directory, &adapter), |base| Ok(base.to_owned()))?;
        let config = adapter_config(directory, &adapter, &base)?;
        let tokenizer = Tokenizer::from_dir(if Tokenizer::is_in(directory) { directory } else { &base })?;
        Self { config, tokenizer, weights: base, adapter: Some(adapter) }.check_vocab_size()
    }

    fn check_vocab_size(self) -> Result<Self, InferenceError> {
        let (tokens, vocab_size) = (self.tokenizer.vocab_size(), self.config.encoder.vocab_size);
        if tokens > vocab_size {
            return Err(InferenceError::VocabSize { directory: self.weights, tokens, vocab_size });
        }
        Ok(self)
    }

    /// Loads the weights of the classifier, and the adapter if there is one.
    ///
    /// # Errors
    /// [`ModelError::Missing`] if the model has no classification head, and errors of reading the files.
    pub fn load(&self, device: &Device) -> Result<AutoModelForSequenceClassification, ModelError> {
        let Some(adapter) = &self.adapter else {
            return from_pretrained(&self.weights, &self.config, 0, device)?.complete(&self.weights);
        };
        let has_head = adapter.num_labels().is_some();
        let load = if has_head { from_pretrained_with_new_head } else { from_pretrained };
        let base = load(&self.weights, &self.config, 0, device)?;
        adapter.load(base.model, &base.newly_initialized)
    }
}

/// Returns the config of an adapter's base model, with the labels of the adapter.
///
/// # Errors
/// The errors of [`AutoConfig::from_file`].
pub fn adapter_config(directory: &Path, adapter: &Adapter, base: &Path) -> Result<AutoConfig, ModelError> {
    let candidates = [ADAPTER_MODEL_CONFIG, "config.json"].map(|name| directory.join(name));
    if let Some(path) = candidates.iter().find(|path| path.is_file()) {
        return AutoConfig::from_file(path);
    }
    let mut config = AutoConfig::from_dir(base)?;
    if let Some(num_labels) = adapter.num_labels().filter(|&number| number != config.label_names().len()) {
        config.set_labels((0..num_labels).map(|id| format!("LABEL_{id}")));
    }
    Ok(config)
}

/// Returns the directory of the base model that the adapter's config names.
fn base_of(directory: &Path, adapter: &Adapter) -> Result<PathBuf, InferenceError> {
    let directory = directory.to_owned();
    match &adapter.base_model_name_or_path {
        None => Err(InferenceError::NoBase { directory }),
        Some(base) if Path::new(base).is_dir() => Ok(base.into()),
        Some(base) => Err(InferenceError::BaseNotFound { directory, base: base.clone() }),
    }
}
