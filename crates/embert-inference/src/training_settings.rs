//! Settings of training that inference must repeat: maximum length, truncation and precision.

use std::fs;
use std::path::{Path, PathBuf};

use embert_kernels::Precision;
use embert_text::{Truncation, TruncationStrategy};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::InferenceError;

/// Settings of training that are stored in the directory of a model.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrainingSettings {
    /// The maximum number of tokens of a text, including special tokens.
    pub max_length: Option<usize>,
    /// The side at which long texts were truncated.
    pub truncation: Option<Truncation>,
    /// The text of a pair that was truncated.
    pub truncation_strategy: Option<TruncationStrategy>,
    /// The precision of matrix products.
    pub precision: Precision,
}

/// The keys of `recipe.toml` that inference needs.
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
    truncation_strategy: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Train {
    bf16: bool,
    fp16: bool,
    tf32: bool,
}

/// The key of `sentence_bert_config.json` of sentence-transformers that inference needs.
#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

impl TrainingSettings {
    /// Reads `recipe.toml` of the run, else `sentence_bert_config.json` of sentence-transformers.
    ///
    /// Returns the default if neither file exists.
    ///
    /// # Errors
    /// [`InferenceError::Settings`] if a file cannot be read.
    pub fn from_dir(directory: &Path) -> Result<Self, InferenceError> {
        if let Some(Recipe { data, train }) = read(&recipe_path(directory), |text| toml::from_str(text))? {
            let truncation = data.truncation_side.map(|side| side.parse()).transpose()?;
            let truncation_strategy =
                data.truncation_strategy.map(|strategy| strategy.parse()).transpose()?;
            let (max_length, precision) = (data.max_seq_length, train.precision());
            return Ok(Self { max_length, truncation, truncation_strategy, precision });
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
        } else if self.tf32 {
            Precision::Tf32
        } else {
            Precision::Fp32
        }
    }
}

/// Returns the path of the recipe of a run. For a directory `checkpoint-N`, it is in the parent directory.
pub fn recipe_path(directory: &Path) -> PathBuf {
    let name = directory.file_name().and_then(|name| name.to_str());
    let is_checkpoint = name.is_some_and(|name| name.starts_with("checkpoint-"));
    let run = if is_checkpoint { directory.parent().unwrap_or(directory) } else { directory };
    run.join("recipe.toml")
}

/// Reads and parses a file; returns `None` if it does not exist.
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
