#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]

mod autodiff_leaf;
mod batches;
mod best_model;
mod best_model_metric;
mod check_finite;
mod class_weights;
mod clip;
mod config;
mod config_error;
mod data_parallel;
mod error;
mod evaluate;
mod event;
mod event_result;
mod find_batch_size;
mod fingerprint;
mod fit;
mod freezing;
mod gradient_checkpointing;
mod gradients;
mod ignored_setting;
mod layer_decay;
mod log_entry;
mod loss;
mod loss_scale;
mod lr_scheduler;
mod lr_scheduler_kwargs;
mod metrics;
mod model;
mod objective;
mod optimizer;
mod optimizer_state;
mod pattern;
mod resume_state;
mod run_directory;
mod schedule;
mod state;
mod step;
mod steps;
mod targets;
mod training_log;
mod trial_step;
mod unfreezing;
mod validation;
mod word_rows;

pub use batches::{LabelledBatch, LabelledTexts};
pub use best_model::BestModel;
pub use best_model_metric::BestModelMetric;
pub use class_weights::ClassWeights;
pub use clip::{clip_coefficient, global_norm};
pub use config::{IntervalStrategy, TrainConfig, TrainSamplingStrategy};
pub use config_error::ConfigError;
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate, evaluate_logits};
pub use event::{Event, RunPlan, Snapshot, TrainReport};
pub use event_result::EventResult;
pub use find_batch_size::{find_batch_size, heaviest_micro_batch};
pub use fit::{Fitted, TrainData, check, fit, fit_from};
pub use gradients::{Gradient, ParameterGradients};
pub use ignored_setting::IgnoredSetting;
pub use log_entry::{LogEntry, StepLog};
pub use loss::Loss;
pub use lr_scheduler::{CurveType, LrScheduler, LrSchedulerType};
pub use lr_scheduler_kwargs::{LrSchedulerKwarg, LrSchedulerKwargs};
pub use metrics::{
    ClassScores, LabelScores, MetricOptions, Metrics, MultiLabelMetrics, RegressionMetrics,
    SingleLabelMetrics, TargetScores, fit_thresholds,
};
pub use model::Model;
pub use objective::{MultiLabel, Objective, Regression, SingleLabel};
pub use optimizer::{AdamW, AdamWConfig};
pub use optimizer_state::OptimizerState;
pub use resume_state::ResumeState;
pub use run_directory::{
    Checkpoint, FILES_LIKE_DATA, ModelCard, OnExisting, RunDirectory, RunSettings, published_files,
    write_model_directory,
};
pub use schedule::Schedule;
pub use state::TrainState;
pub use step::{BackwardOptions, StepGradients, step_gradients};
pub use steps::Steps;
pub use targets::Targets;
pub use trial_step::{TrialStep, trial_step};
pub use unfreezing::Unfreezing;
