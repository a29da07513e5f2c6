#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod batches;
mod best_model;
mod checkpoint;
mod clip;
mod config;
mod error;
mod evaluate;
mod event;
mod fit;
mod freezing;
mod gradients;
mod journal;
mod layer_decay;
mod loss;
mod metrics;
mod optimizer;
mod parameters;
mod pattern;
mod predict;
mod recompute;
mod schedule;
mod step;
mod validation;

pub use batches::{LabelledBatch, LabelledTexts};
pub use best_model::{BestModel, BestModelMetric};
pub use checkpoint::{ModelCard, OnExisting, RunDirectory};
pub use clip::{clip_coefficient, global_norm};
pub use config::{ClassWeights, IntervalStrategy, TrainConfig, TrainSamplingStrategy};
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Answer, Event, LogEntry, Progress, RunPlan, StepLog, TrainReport};
pub use fit::{Fitted, TrainData, fit};
pub use freezing::Unfreezing;
pub use gradients::ParameterGradients;
pub use loss::CrossEntropy;
pub use metrics::Metrics;
pub use optimizer::AdamW;
pub use predict::{Batching, predict, predicted_label, probabilities};
pub use schedule::{LrSchedulerType, Schedule};
pub use step::{StepGradients, step_gradients};
pub use validation::ConfigError;
