#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod classifier;
mod device;
mod encoder;
mod error;
mod fine_tuning;
mod resolve;

pub use classifier::Classifier;
pub use device::Device;
/// The problem type of a [`Dataset`]. That of a model is [`ProblemType`].
pub use embert_data::ProblemType as DatasetType;
pub use embert_data::{Dataset, Example, Labels, Target};
#[cfg(any(feature = "cuda", feature = "wgpu"))]
pub use embert_inference::keep_compiled_kernels;
pub use embert_inference::{OpenOptions, Pooling, Prediction};
pub use embert_kernels::Precision;
#[cfg(feature = "cpu")]
pub use embert_kernels::keep_freed_memory;
pub use embert_model::{LoraConfig, ModuleNames, ProblemType};
pub use embert_text::{Tokenizer, Truncation};
pub use embert_train::{ClassWeights, Event, Loss, LrSchedulerType, OnExisting, Steps, TrainConfig};
pub use encoder::Encoder;
pub use error::Error;
pub use fine_tuning::{FineTuning, fine_tune};
