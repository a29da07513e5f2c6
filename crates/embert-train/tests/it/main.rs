//! Training against figures from transformers, PyTorch and scikit-learn, and against itself.

mod accumulation;
mod evaluation;
mod golden;
mod loss;
mod metrics;
mod run;
mod run_directory;
mod schedule;
mod tiny;
