//! Compares the model with transformers and PEFT (`tests/fixtures/generate*.py`), and tests its files.

use std::path::{Path, PathBuf};

mod adapter_files;
mod adapters;
mod checkpoints;
mod configs;
mod distilbert;
mod encoders;
mod families;
mod golden;
mod gradients;
mod heads;
mod initial_values;
mod label_configs;
mod modernbert;
mod pairs;
mod parity;
mod pytorch_files;
mod unsupported_formats;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}
