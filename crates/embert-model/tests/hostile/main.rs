//! Hostile model files: each is read or refused with its name. None causes a panic or excessive memory use.

mod adapter;
mod config;
mod header;
mod index;
mod pickle;
mod pytorch_archive;
mod pytorch_bytes;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Tensor, TensorData};
use embert_kernels::SequenceLayout;
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, ForwardContext, ModelError, from_pretrained,
};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Returns a folder with copies of these files of a fixture.
fn folder_of(fixture_name: &str, files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::copy(fixture(fixture_name).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Loads the model in the folder of `file` and runs it on a few tokens.
fn load_and_run(file: &Path) -> Result<(), ModelError> {
    let directory = file.parent().unwrap();
    let config = AutoConfig::from_dir(directory)?;
    config.check_labels()?;
    let loaded = from_pretrained(directory, &config, 0, &Device::flex())?;
    run(&loaded.complete(directory)?, config.encoder.max_length().min(3));
    Ok(())
}

fn run(model: &AutoModelForSequenceClassification, length: usize) {
    let ids = TensorData::new((0..length as i32).collect::<Vec<_>>(), [length]);
    let ids = Tensor::from_data(ids, (&Device::flex(), DType::I32));
    let layout = SequenceLayout::packed(vec![length]);
    let logits = model.forward(ids, &layout, ForwardContext::default());
    assert_eq!(logits.dims(), [1, model.num_labels()]);
}

/// Returns a safetensors file with this header, valid or not.
fn with_header(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

/// Splits a valid file into header and data.
fn parts(file: &[u8]) -> (serde_json::Value, &[u8]) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let (header, data) = file[8..].split_at(length);
    (serde_json::from_slice(header).unwrap(), data)
}
