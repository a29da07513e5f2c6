//! Text encoder, opened from a directory or by model id.

use std::ops::Deref;

use burn::tensor::Device;
use embert_inference::OpenOptions;

use crate::{Error, resolve};

/// Encoder with its tokenizer.
///
/// It dereferences to [`embert_inference::Encoder`], which has `embed`, `embed_normalized` and the fields.
#[derive(Debug)]
pub struct Encoder(embert_inference::Encoder);

impl Encoder {
    /// Opens the encoder of a directory written by transformers, sentence-transformers or embert. With the
    /// feature `hub`, also opens a model by its id. A head is ignored.
    ///
    /// # Errors
    /// [`Error::NotADirectory`]; `Error::Hub` with the feature `hub`; and the errors of
    /// [`embert_inference::Encoder::open`].
    pub fn open(model: &str, device: &Device) -> Result<Self, Error> {
        Self::open_with(model, &OpenOptions::default(), device)
    }

    /// Opens an encoder with options that override those of training.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open) and [`embert_inference::Encoder::open_with`].
    pub fn open_with(model: &str, options: &OpenOptions, device: &Device) -> Result<Self, Error> {
        let directory = resolve::model_directory(model)?;
        Ok(Self(embert_inference::Encoder::open_with(directory, options, device)?))
    }
}

impl Deref for Encoder {
    type Target = embert_inference::Encoder;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
