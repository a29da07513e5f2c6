//! Reading config.json: a JSON object without duplicate keys.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::ModelError;
use crate::config_labels::ConfigLabels;
use crate::lfs_pointer::read_text;

/// The file name in a checkpoint directory.
pub(crate) const CONFIG: &str = "config.json";

/// The keys and values of a config.json.
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) keys: Map<String, Value>,
}

impl ConfigFile {
    pub(crate) fn read(path: &Path) -> Result<Self, ModelError> {
        let UniqueKeys(keys) = serde_json::from_str(&read_text(path)?)
            .map_err(|source| ModelError::Json { path: path.into(), source })?;
        Ok(Self { path: path.into(), keys })
    }

    /// Returns the string of a key; if the value is a list, the first string in the list.
    pub(crate) fn first_string(&self, key: &str) -> Option<&str> {
        let value = self.keys.get(key)?;
        value.get(0).unwrap_or(value).as_str()
    }

    /// Returns the class names in `architectures`. Old files have one string instead of a list.
    pub(crate) fn architectures(&self) -> Vec<String> {
        match self.keys.get("architectures") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(String::from).collect(),
            _ => vec![],
        }
    }

    pub(crate) fn labels(&self) -> ConfigLabels {
        ConfigLabels::read(&self.keys, &self.path)
    }
}

/// A JSON object without duplicate keys. serde_json would silently keep the last duplicate.
struct UniqueKeys(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(UniqueKeys(Map::new()))
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of settings")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if self.0.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
            }
        }
        Ok(self)
    }
}
