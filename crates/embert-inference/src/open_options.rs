//! Options of opening a model; the default is what the model was trained with.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_kernels::Precision;
use embert_text::{Limit, Truncation};

use crate::batching::{Batching, supports};
use crate::error::InferenceError;
use crate::model_directory::ModelDirectory;
use crate::trained_with::TrainedWith;

/// Options of opening a model. What is `None` is as in the training of the model, see [`TrainedWith`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenOptions {
    /// The directory of an adapter's base model; else the path that the adapter names.
    pub base: Option<PathBuf>,
    /// The maximal number of tokens of a text, special tokens included; else as many as the model has positions.
    pub max_length: Option<usize>,
    /// The tokens to keep of longer texts; else as the tokenizer's files say.
    pub truncation: Option<Truncation>,
    /// The precision of matrix products; else fp32, also where the device lacks the precision of the training.
    pub precision: Option<Precision>,
}

impl OpenOptions {
    /// Opens a directory, and decides how its model reads texts on a device.
    pub(crate) fn open(
        &self,
        directory: &Path,
        device: &Device,
    ) -> Result<(ModelDirectory, Limit, Batching), InferenceError> {
        let model = ModelDirectory::open(directory, self.base.as_deref())?;
        let trained = TrainedWith::of(directory)?;
        let positions = model.config.encoder.max_position_embeddings;
        let max_length = self.max_length.or(trained.max_length).unwrap_or(positions);
        let truncation = self.truncation.or(trained.truncation).unwrap_or(model.tokenizer.truncation());
        let limit = Limit::new(max_length, truncation, positions)?;
        let batching = Batching::new(max_length, self.precision(trained.precision, device)?, device);
        Ok((model, limit, batching))
    }

    fn precision(&self, trained: Precision, device: &Device) -> Result<Precision, InferenceError> {
        match self.precision {
            None if supports(device, trained) => Ok(trained),
            None => Ok(Precision::Fp32),
            Some(precision) if supports(device, precision) => Ok(precision),
            Some(precision) => Err(InferenceError::Precision { precision }),
        }
    }
}
