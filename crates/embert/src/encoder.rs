//! An encoder that opens by directory or by id.

use std::ops::Deref;

use burn::tensor::Device;
use embert_inference::OpenOptions;

use crate::{Error, model_folder};

/// An encoder with its tokenizer. It dereferences to [`embert_inference::Encoder`], which has `embed`,
/// `embed_normalized` and the fields.
#[derive(Debug)]
pub struct Encoder(embert_inference::Encoder);

impl Encoder {
    /// Opens the encoder of a directory that transformers, sentence-transformers or embert wrote, or with the feature `hub`
    /// of a model by its id; a head is ignored.
    ///
    /// # Errors
    /// [`Error::NoDirectory`], with the feature `hub` `Error::Hub`, and the errors of [`embert_inference::Encoder::open`].
    pub fn open(model: &str, device: &Device) -> Result<Self, Error> {
        Self::open_with(model, &OpenOptions::default(), device)
    }

    /// Opens an encoder with other options than those of its training.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) and of [`embert_inference::Encoder::open_with`].
    pub fn open_with(model: &str, options: &OpenOptions, device: &Device) -> Result<Self, Error> {
        let folder = model_folder::find(model)?;
        Ok(Self(embert_inference::Encoder::open_with(folder, options, device)?))
    }
}

impl Deref for Encoder {
    type Target = embert_inference::Encoder;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
