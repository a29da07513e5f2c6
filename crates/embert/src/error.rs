//! Errors of the facade.

use std::path::PathBuf;

use embert_data::DataError;
use embert_inference::InferenceError;
use embert_model::ModelError;
use embert_text::TextError;
use embert_train::TrainError;

/// Why a model could not be opened, used or trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data cannot be learned from.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model could not be opened, or its output is not finite.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A model's files are missing, broken or not supported.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A tokenizer's files are missing or broken, or a length is out of range.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A model could not be downloaded.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] embert_hub::HubError),
    /// The name of a model is not a directory, and the feature `hub` is off.
    #[error("{name} is not a directory; models are downloaded by id with the feature `hub`")]
    NoDirectory {
        /// The name.
        name: String,
    },
    /// The base model of an adapter was not found.
    #[error("{source}; it is the base model of the adapter in {adapter}", adapter = adapter.display())]
    Base {
        /// The directory of the adapter.
        adapter: PathBuf,
        /// What is wrong with the name of the base model.
        source: Box<Error>,
    },
    /// The caller asked training to stop. Its checkpoints are in the directory whose name ends in `.partial`.
    #[error("training was interrupted after step {step}")]
    Interrupted {
        /// Optimizer steps made.
        step: usize,
    },
}
