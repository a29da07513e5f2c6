//! A fine-tuned classifier: texts in, labels and scores out.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use embert_model::AutoModelForSequenceClassification;
use embert_text::{Limit, Tokenizer};

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::model_directory::ModelDirectory;
use crate::open_options::OpenOptions;
use crate::predict::predict;
use crate::prediction::Prediction;

/// A classifier with its tokenizer and labels.
#[derive(Debug)]
pub struct Classifier {
    /// The model, without autodiff.
    pub model: AutoModelForSequenceClassification,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The names of the labels by id, one for each output of the model.
    pub labels: Vec<String>,
    /// The tokens that are read of a text.
    pub limit: Limit,
    /// The batches that texts are put into.
    pub batching: Batching,
}

impl Classifier {
    /// Opens a directory that transformers, peft or embert wrote. Texts are read as in the training of the model.
    ///
    /// # Errors
    /// Those of [`ModelDirectory::open`], [`ModelDirectory::load`] and [`TrainedWith::of`](crate::TrainedWith::of);
    /// [`ModelError::Config`](embert_model::ModelError::Config) for a head of another task.
    pub fn open(directory: impl AsRef<Path>, device: &Device) -> Result<Self, InferenceError> {
        Self::open_with(directory, &OpenOptions::default(), device)
    }

    /// Opens a directory with other options than those of its training.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`InferenceError::Precision`]; a [`TextError`](embert_text::TextError) for a length
    /// that the model cannot read.
    pub fn open_with(
        directory: impl AsRef<Path>,
        options: &OpenOptions,
        device: &Device,
    ) -> Result<Self, InferenceError> {
        let (directory, limit, batching) = options.open(directory.as_ref(), device)?;
        Self::load(directory, limit, batching, device)
    }

    /// Reads the weights of a directory that was opened.
    ///
    /// # Errors
    /// Those of [`ModelDirectory::load`]; [`ModelError::Config`](embert_model::ModelError::Config) for a head of another
    /// task.
    pub fn load(
        directory: ModelDirectory,
        limit: Limit,
        batching: Batching,
        device: &Device,
    ) -> Result<Self, InferenceError> {
        directory.config.require_single_label()?;
        let model = directory.load(device)?;
        let labels = directory.config.label_names();
        Ok(Self { model, tokenizer: directory.tokenizer, labels, limit, batching })
    }

    /// Returns the label and the scores of each text, in the order of the texts.
    ///
    /// # Errors
    /// [`InferenceError::NotFinite`] for a model whose output is not finite.
    pub fn classify<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Vec<Prediction>, InferenceError> {
        Ok(self.logits(texts)?.iter().map(|logits| Prediction::new(logits, &self.labels)).collect())
    }

    /// Returns the logits of each text, `[texts][num_labels]`, in the order of the texts.
    ///
    /// # Errors
    /// [`InferenceError::NotFinite`] for a model whose output is not finite.
    pub fn logits<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Vec<Vec<f32>>, InferenceError> {
        let texts = self.tokenizer.encode_all(texts, self.limit, &|_| ());
        predict(&self.model, &texts, self.batching, &mut |_| Ok(ControlFlow::Continue(())))
    }
}
