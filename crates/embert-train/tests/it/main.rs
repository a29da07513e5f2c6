//! Integration tests of training, with golden values from transformers, PyTorch and scikit-learn.

mod accumulation;
mod adapters;
mod best_model;
mod damage;
mod divergence;
mod evaluation;
mod foreign_files;
mod freezing;
mod golden;
mod golden_tasks;
mod loss;
mod memory;
mod metrics;
mod pairs;
mod parts;
mod resume;
mod resume_recipes;
mod run;
mod run_directory;
mod schedule;
mod task_metrics;
mod tasks;
mod tiny;
mod unsaved_best;
