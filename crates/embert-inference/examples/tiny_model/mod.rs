//! A model for examples: the tiny BERT of the tests, which has random weights, with a vocabulary.

use std::fs;
use std::io;
use std::path::Path;

/// Copies the model into a folder and returns its path.
pub(crate) fn copy_to(folder: &Path) -> io::Result<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = crates.join("embert-model/tests/fixtures/tiny_bert");
    fs::copy(crates.join("embert-inference/tests/fixtures/vocab.txt"), folder.join("vocab.txt"))?;
    fs::copy(model.join("config.json"), folder.join("config.json"))?;
    fs::copy(model.join("model.safetensors"), folder.join("model.safetensors"))?;
    Ok(folder.display().to_string())
}
