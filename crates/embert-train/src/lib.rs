#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod batches;
mod checkpoint;
mod clip;
mod config;
mod error;
mod evaluate;
mod event;
mod fit;
mod gradients;
mod journal;
mod loss;
mod metrics;
mod optimizer;
mod predict;
mod recompute;
mod schedule;
mod step;

pub use batches::{LabelledBatch, LabelledTexts};
pub use checkpoint::{ModelCard, OnExisting, RunDirectory};
pub use clip::{clip_coefficient, global_norm};
pub use config::{ClassWeights, ConfigError, IntervalStrategy, TrainConfig, TrainSamplingStrategy};
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Answer, Event, LogEntry, Progress, RunPlan, StepLog, TrainReport};
pub use fit::{Fitted, TrainData, fit};
pub use gradients::ParameterGradients;
pub use loss::CrossEntropy;
pub use metrics::Metrics;
pub use optimizer::AdamW;
pub use predict::{Batching, predict, predicted_label, probabilities};
pub use schedule::{LrSchedulerType, Schedule};
pub use step::{StepGradients, step_gradients};
