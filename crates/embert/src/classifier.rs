//! A classifier that opens by directory or by id.

use std::ops::Deref;

use burn::tensor::Device;
use embert_inference::OpenOptions;

use crate::{Error, model_folder};

/// A classifier with its tokenizer and labels. It dereferences to [`embert_inference::Classifier`], which has `classify`,
/// `logits` and the fields.
#[derive(Debug)]
pub struct Classifier(embert_inference::Classifier);

impl Classifier {
    /// Opens a directory that transformers, peft or embert wrote, or with the feature `hub` a model by its id. Texts are read as in the training of the model.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], with the feature `hub` `Error::Hub`, and the errors of [`embert_inference::Classifier::open`].
    pub fn open(model: &str, device: &Device) -> Result<Self, Error> {
        Self::open_with(model, &OpenOptions::default(), device)
    }

    /// Opens a model with other options than those of its training.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) and of [`embert_inference::Classifier::open_with`].
    pub fn open_with(model: &str, options: &OpenOptions, device: &Device) -> Result<Self, Error> {
        let (folder, options) = model_folder::find_with_base(model, options)?;
        Ok(Self(embert_inference::Classifier::open_with(folder, &options, device)?))
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
