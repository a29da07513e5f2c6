//! config.json as a file: read once, then understood as one model's config.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ModelError;
use crate::config_check::check_label_count;

/// A config.json that is JSON.
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    text: String,
    json: Value,
}

impl ConfigFile {
    pub(crate) fn read(directory: &Path) -> Result<Self, ModelError> {
        let path = directory.join("config.json");
        let text =
            fs::read_to_string(&path).map_err(|source| ModelError::File { path: path.clone(), source })?;
        let json = parse(&text, &path)?;
        Ok(Self { path, text, json })
    }

    /// The keys that a config knows.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ModelError> {
        parse(&self.text, &self.path)
    }

    /// The text under a key, or under the first entry of a list.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        let value = self.json.get(key)?;
        value.get(0).unwrap_or(value).as_str()
    }

    /// Names for the labels of a file that only counts them.
    pub(crate) fn numbered_labels(&self) -> Result<Option<Vec<String>>, ModelError> {
        let count = self.json.get("num_labels").and_then(Value::as_u64);
        let Some(count) = count.filter(|_| self.json.get("id2label").is_none()) else { return Ok(None) };
        check_label_count(count).map_err(|reason| ModelError::Config { path: self.path.clone(), reason })?;
        Ok(Some((0..count).map(|id| format!("LABEL_{id}")).collect()))
    }
}

/// Writes `config.json`.
pub(crate) fn write(config: &impl Serialize, directory: &Path) -> Result<(), ModelError> {
    let path = directory.join("config.json");
    let text = serde_json::to_string_pretty(config).expect("a config is JSON") + "\n";
    fs::write(&path, text).map_err(|source| ModelError::File { path, source })
}

/// `id2label` and `label2id` of labels with these names.
pub(crate) fn label_maps<S: Into<String>>(
    names: impl IntoIterator<Item = S>,
) -> (BTreeMap<usize, String>, BTreeMap<String, usize>) {
    let id2label = names.into_iter().map(Into::into).enumerate().collect::<BTreeMap<_, _>>();
    let label2id = id2label.iter().map(|(&id, name)| (name.clone(), id)).collect();
    (id2label, label2id)
}

fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, ModelError> {
    serde_json::from_str(text).map_err(|source| ModelError::Json { path: path.into(), source })
}
