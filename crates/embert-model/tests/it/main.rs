//! The model against transformers' figures (`tests/fixtures/generate.py`), and its files.

use std::path::{Path, PathBuf};

mod checkpoints;
mod distilbert;
mod golden;
mod gradients;
mod parity;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}
