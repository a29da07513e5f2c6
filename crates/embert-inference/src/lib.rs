#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod batching;
mod error;
mod inputs;
mod predict;
mod progress;
mod scores;

pub use batching::Batching;
pub use error::InferenceError;
pub use inputs::{device_of, input_ids, sequence_layout};
pub use predict::predict;
pub use progress::Progress;
pub use scores::{log_softmax, predicted_label, probabilities};
