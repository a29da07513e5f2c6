//! A model directory with the tiny BERT of embert-model, and reference values for it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// Returns a directory with config, weights, vocabulary, and `sentence_bert_config.json` with
/// `max_seq_length` 12.
pub(crate) fn model_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (own, model) = (fixtures(), fixtures().join("../../../embert-model/tests/fixtures/tiny_bert"));
    for file in [own.join("vocab.txt"), model.join("config.json"), model.join("model.safetensors")] {
        fs::copy(&file, directory.path().join(file.file_name().unwrap())).unwrap();
    }
    let length = format!("{{\"max_seq_length\": {}, \"do_lower_case\": false}}", expected("max_length"));
    fs::write(directory.path().join("sentence_bert_config.json"), length).unwrap();
    directory
}

/// Returns a value of `expected.json`.
pub(crate) fn expected(key: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("expected.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[key].take()
}

pub(crate) fn texts() -> Vec<String> {
    serde_json::from_value(expected("texts")).unwrap()
}

/// Returns the largest difference from the rows in `expected.json`.
pub(crate) fn difference(found: &[Vec<f32>], key: &str) -> f32 {
    let expected: Vec<Vec<f32>> = serde_json::from_value(expected(key)).unwrap();
    assert_eq!(found.len(), expected.len());
    largest_difference(found, &expected)
}

pub(crate) fn largest_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    let rows = a.iter().zip(b).inspect(|(a, b)| assert_eq!(a.len(), b.len()));
    rows.flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}
