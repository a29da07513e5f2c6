//! Errors of the facade.

use std::path::PathBuf;

use embert_data::DataError;
use embert_inference::InferenceError;
use embert_model::ModelError;
use embert_text::TextError;
use embert_train::TrainError;

/// Error of opening, running or training a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The training data is not valid.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model cannot be opened, or its output is NaN or infinite.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// Model files are missing, damaged or not supported.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Tokenizer files are missing or damaged, or a length is out of range.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A model cannot be downloaded.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] embert_hub::HubError),
    /// The model name is not a directory, and the feature `hub` is disabled.
    #[error("{name} is not a directory; enable the feature `hub` to download models by id")]
    NotADirectory {
        /// The model name.
        name: String,
    },
    /// The base model of an adapter cannot be found.
    #[error("{source} (the base model of the adapter in {adapter})", adapter = adapter.display())]
    Base {
        /// The directory of the adapter.
        adapter: PathBuf,
        /// The error about the base model.
        source: Box<Error>,
    },
    /// The event callback stopped training. The checkpoints are in the directory with the extension
    /// `.partial`.
    #[error("training was interrupted after step {step}")]
    Interrupted {
        /// The number of completed optimizer steps.
        step: usize,
    },
}
