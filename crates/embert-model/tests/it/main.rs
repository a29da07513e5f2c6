//! The model against the figures of transformers and PEFT (`tests/fixtures/generate*.py`), and its files.

use std::path::{Path, PathBuf};

mod adapter_files;
mod adapters;
mod checkpoints;
mod distilbert;
mod encoders;
mod foreign_files;
mod golden;
mod gradients;
mod heads;
mod label_configs;
mod parity;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}
