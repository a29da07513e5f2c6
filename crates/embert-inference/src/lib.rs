#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod batching;
mod classifier;
mod encoder;
mod error;
mod forward;
mod inputs;
#[cfg(feature = "cube")]
mod kernel_cache;
mod model_directory;
mod open_options;
mod pooling;
mod predict;
mod prediction;
mod progress;
mod scores;
mod training_settings;

pub use batching::{Batching, padding_for, supports_precision};
pub use classifier::Classifier;
pub use encoder::Encoder;
pub use error::InferenceError;
pub use inputs::{device_of, input_ids, sequence_layout};
#[cfg(feature = "cube")]
pub use kernel_cache::keep_compiled_kernels;
pub use model_directory::{ModelDirectory, adapter_config};
pub use open_options::OpenOptions;
pub use pooling::Pooling;
pub use predict::{check_token_types, predict};
pub use prediction::Prediction;
pub use progress::Progress;
pub use scores::{
    DEFAULT_THRESHOLD, log_sigmoid, log_softmax, predicted_label, predicted_labels, probabilities, sigmoids,
};
pub use training_settings::{TrainingSettings, recipe_path};
