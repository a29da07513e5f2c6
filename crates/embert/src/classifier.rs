//! Text classifier, opened from a directory or by model id.

use std::ops::Deref;

use burn::tensor::Device;
use embert_inference::OpenOptions;

use crate::{Error, resolve};

/// Fine-tuned classifier with its tokenizer and label names.
///
/// It dereferences to [`embert_inference::Classifier`], which has `classify`, `logits` and the fields.
#[derive(Debug)]
pub struct Classifier(embert_inference::Classifier);

impl Classifier {
    /// Opens a directory written by transformers, peft or embert. With the feature `hub`, also opens a model
    /// by its id.
    ///
    /// Maximum length, truncation and precision are those of training.
    ///
    /// # Errors
    /// [`Error::NotADirectory`]; `Error::Hub` with the feature `hub`; [`Error::Base`] if the base model of an
    /// adapter cannot be found; and the errors of [`embert_inference::Classifier::open`].
    pub fn open(model: &str, device: &Device) -> Result<Self, Error> {
        Self::open_with(model, &OpenOptions::default(), device)
    }

    /// Opens a model with options that override those of training.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open) and [`embert_inference::Classifier::open_with`].
    pub fn open_with(model: &str, options: &OpenOptions, device: &Device) -> Result<Self, Error> {
        let (directory, options) = resolve::with_base_model(model, options)?;
        Ok(Self(embert_inference::Classifier::open_with(directory, &options, device)?))
    }
}

impl Deref for Classifier {
    type Target = embert_inference::Classifier;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<embert_inference::Classifier> for Classifier {
    fn from(classifier: embert_inference::Classifier) -> Self {
        Self(classifier)
    }
}
