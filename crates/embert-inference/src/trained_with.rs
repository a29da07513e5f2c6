//! Settings that a model was trained with and that inference repeats: length, truncation and precision of texts.

use std::fs;
use std::path::{Path, PathBuf};

use embert_kernels::Precision;
use embert_text::Truncation;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::InferenceError;

/// Settings of the training of a model, as far as its directory holds them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrainedWith {
    /// The maximal number of tokens of a text, special tokens included.
    pub max_length: Option<usize>,
    /// The tokens that were kept of longer texts.
    pub truncation: Option<Truncation>,
    /// The precision of matrix products.
    pub precision: Precision,
}

/// The keys of `recipe.toml` that inference reads.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Recipe {
    data: Data,
    train: Train,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    max_seq_length: Option<usize>,
    truncation_side: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Train {
    bf16: bool,
    fp16: bool,
}

/// The key of sentence-transformers' `sentence_bert_config.json` that inference reads.
#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

impl TrainedWith {
    /// Reads the `recipe.toml` of the model's run, else sentence-transformers' `sentence_bert_config.json`. A directory
    /// without these files gives the default.
    ///
    /// # Errors
    /// [`InferenceError::Settings`] for a file that is not readable.
    pub fn of(directory: &Path) -> Result<Self, InferenceError> {
        if let Some(Recipe { data, train }) = read(&recipe_path(directory), |text| toml::from_str(text))? {
            let truncation = data.truncation_side.map(|side| side.parse()).transpose()?;
            return Ok(Self { max_length: data.max_seq_length, truncation, precision: train.precision() });
        }
        let path = directory.join("sentence_bert_config.json");
        let max_length = read(&path, |text| serde_json::from_str(text))?
            .and_then(|SentenceConfig { max_seq_length }| max_seq_length);
        Ok(Self { max_length, ..Self::default() })
    }
}

impl Train {
    fn precision(&self) -> Precision {
        if self.fp16 {
            Precision::Fp16
        } else if self.bf16 {
            Precision::Bf16
        } else {
            Precision::Fp32
        }
    }
}

/// Returns the path of the recipe of a model's run: in its directory, or for a `checkpoint-N` in that of the run.
pub fn recipe_path(directory: &Path) -> PathBuf {
    let name = directory.file_name().and_then(|name| name.to_str());
    let is_checkpoint = name.is_some_and(|name| name.starts_with("checkpoint-"));
    let run = if is_checkpoint { directory.parent().unwrap_or(directory) } else { directory };
    run.join("recipe.toml")
}

/// Parses a file; `None` if it does not exist.
fn read<T: DeserializeOwned, E: ToString>(
    path: &Path,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, InferenceError> {
    if !path.is_file() {
        return Ok(None);
    }
    let settings = |reason: String| InferenceError::Settings { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|error| settings(error.to_string()))?;
    parse(&text).map(Some).map_err(|error| settings(error.to_string()))
}
