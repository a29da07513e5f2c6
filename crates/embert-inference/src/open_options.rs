//! Options for opening a model. The defaults are the settings of training.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_kernels::Precision;
use embert_text::{Limit, Truncation, TruncationStrategy};

use crate::batching::{Batching, supports_precision};
use crate::error::InferenceError;
use crate::model_directory::ModelDirectory;
use crate::training_settings::TrainingSettings;

/// Options for opening a model. `None` means the value of training, see [`TrainingSettings`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpenOptions {
    /// The directory of an adapter's base model. Default: the path in the adapter's config.
    pub base: Option<PathBuf>,
    /// The maximum number of tokens of a text, including special tokens. Without a value from training, the
    /// number of positions of the model.
    pub max_length: Option<usize>,
    /// The side at which long texts are truncated. Without a value from training, that of the tokenizer
    /// files.
    pub truncation: Option<Truncation>,
    /// The text of a pair that is truncated. Without a value from training, `longest_first`.
    pub truncation_strategy: Option<TruncationStrategy>,
    /// The precision of matrix products. Default: that of training if the device supports it, else fp32.
    pub precision: Option<Precision>,
}

impl OpenOptions {
    /// Opens a directory, and returns its contents with the token limit and the batching.
    pub(crate) fn open(
        &self,
        directory: &Path,
        device: &Device,
    ) -> Result<(ModelDirectory, Limit, Batching), InferenceError> {
        let model = ModelDirectory::open(directory, self.base.as_deref())?;
        let trained = TrainingSettings::from_dir(directory)?;
        let positions = model.config.encoder.max_length();
        let max_length = self.max_length.or(trained.max_length).unwrap_or(positions);
        let truncation = self.truncation.or(trained.truncation).unwrap_or(model.tokenizer.truncation());
        let strategy = self.truncation_strategy.or(trained.truncation_strategy).unwrap_or_default();
        let limit = Limit::new(max_length, truncation, positions)?.with_strategy(strategy);
        let batching = Batching::new(max_length, self.precision(trained.precision, device)?, device);
        Ok((model, limit, batching))
    }

    fn precision(&self, trained: Precision, device: &Device) -> Result<Precision, InferenceError> {
        match self.precision {
            None if supports_precision(device, trained) => Ok(trained),
            None => Ok(Precision::Fp32),
            Some(precision) if supports_precision(device, precision) => Ok(precision),
            Some(precision) => Err(InferenceError::Precision { precision }),
        }
    }
}
