//! config.json as a file: read once, then understood as one model's config.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ModelError;
use crate::config_labels::ConfigLabels;
use crate::lfs_pointer::read_text;

/// The name of the file in a checkpoint.
pub(crate) const CONFIG: &str = "config.json";

/// A config.json that is JSON.
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    text: String,
    json: Value,
}

impl ConfigFile {
    pub(crate) fn read(path: &Path) -> Result<Self, ModelError> {
        let text = read_text(path)?;
        let json = parse(&text, path)?;
        Ok(Self { path: path.into(), text, json })
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

    /// The classes in `architectures`, which old files give as one text.
    pub(crate) fn architectures(&self) -> Option<Vec<String>> {
        match &self.json["architectures"] {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(many) => Some(many.iter().filter_map(Value::as_str).map(String::from).collect()),
            _ => None,
        }
    }

    pub(crate) fn labels(&self) -> ConfigLabels {
        ConfigLabels::read(&self.json, &self.path)
    }
}

/// Writes a config to a file.
pub(crate) fn write(config: &impl Serialize, path: &Path) -> Result<(), ModelError> {
    let text = serde_json::to_string_pretty(config).expect("a config is JSON") + "\n";
    fs::write(path, text).map_err(|source| ModelError::File { path: path.into(), source })
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
