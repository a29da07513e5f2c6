//! Keys of a family in config.json. The same calls read, check and write them.

use std::fmt::Display;
use std::path::Path;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::ModelError;

/// Maximum size of a tensor dimension: GPU backends index with 32 bits.
const MAX_SIZE: usize = i32::MAX as usize;

/// Reads keys from a config.json.
///
/// Each method replaces `value` by the value in the file, if the file has the key, then checks and records
/// it. With an empty file, the recorded values are those of the config, ready to be written.
pub(crate) struct ConfigKeys<'a> {
    path: &'a Path,
    file: &'a Map<String, Value>,
    values: IndexMap<&'static str, Value>,
    preserved: Map<String, Value>,
}

impl<'a> ConfigKeys<'a> {
    pub(crate) fn new(path: &'a Path, file: &'a Map<String, Value>) -> Self {
        Self { path, file, values: IndexMap::new(), preserved: Map::new() }
    }

    /// Returns all keys and values, in the order of the calls.
    pub(crate) fn into_values(self) -> IndexMap<&'static str, Value> {
        self.values
    }

    /// Returns the keys and values of [`preserve`](Self::preserve).
    pub(crate) fn into_preserved(self) -> Map<String, Value> {
        self.preserved
    }

    /// Reads a value without a check.
    pub(super) fn value<T: DeserializeOwned + Serialize>(
        &mut self,
        key: &'static str,
        value: &mut T,
    ) -> Result<(), ModelError> {
        if let Some(found) = self.file.get(key) {
            *value = T::deserialize(found).map_err(|error| self.error(format!("{key}: {error}")))?;
        }
        self.values.insert(key, json!(value));
        Ok(())
    }

    /// Writes another value for a key than the last one.
    pub(super) fn record(&mut self, key: &'static str, value: impl Serialize) {
        self.values.insert(key, json!(value));
    }

    /// Writes no value for a key.
    pub(super) fn omit(&mut self, key: &str) {
        self.values.shift_remove(key);
    }

    /// Reads a size, which must be at least 1.
    pub(super) fn size(&mut self, key: &'static str, size: &mut usize) -> Result<(), ModelError> {
        self.value(key, size)?;
        match *size {
            0 => Err(self.error(format!("{key} is 0; it must be at least 1"))),
            1..=MAX_SIZE => Ok(()),
            _ => Err(self.error(format!("{key} is {size}; the maximum is {MAX_SIZE}"))),
        }
    }

    /// Reads a dropout rate.
    pub(super) fn rate(&mut self, key: &'static str, rate: &mut f64) -> Result<(), ModelError> {
        self.value(key, rate)?;
        self.check_rate(key, *rate)
    }

    /// Reads a dropout rate that may be `null`.
    pub(super) fn optional_rate(
        &mut self,
        key: &'static str,
        rate: &mut Option<f64>,
    ) -> Result<(), ModelError> {
        self.value(key, rate)?;
        rate.map_or(Ok(()), |rate| self.check_rate(key, rate))
    }

    /// Reads a number, which must be greater than 0.
    pub(super) fn positive(&mut self, key: &'static str, value: &mut f64) -> Result<(), ModelError> {
        self.value(key, value)?;
        let is_positive = *value > 0.0;
        if is_positive {
            Ok(())
        } else {
            Err(self.error(format!("{key} is {value}; it must be greater than 0")))
        }
    }

    /// Checks that a key has the only value that this library supports.
    pub(crate) fn require<T>(&mut self, key: &'static str, supported: T) -> Result<(), ModelError>
    where
        T: DeserializeOwned + Serialize + Display + PartialEq + Clone,
    {
        let mut found = supported.clone();
        self.value(key, &mut found)?;
        if found == supported {
            return Ok(());
        }
        let (found, supported) = (found.to_string(), supported.to_string());
        Err(ModelError::Unsupported { path: self.path.into(), key, found, supported })
    }

    /// Preserves a key that has no effect here.
    pub(super) fn preserve<T: DeserializeOwned + Serialize>(
        &mut self,
        key: &'static str,
        mut default: T,
    ) -> Result<(), ModelError> {
        self.value(key, &mut default)?;
        self.preserved.insert(key.into(), json!(default));
        Ok(())
    }

    /// Checks that the hidden size is a multiple of the number of attention heads.
    pub(super) fn divisible(
        &self,
        (hidden, hidden_size): (&str, usize),
        (heads, num_heads): (&str, usize),
    ) -> Result<(), ModelError> {
        if hidden_size.is_multiple_of(num_heads) {
            return Ok(());
        }
        Err(self.error(format!("{hidden} {hidden_size} is not a multiple of {heads} {num_heads}")))
    }

    fn check_rate(&self, key: &str, rate: f64) -> Result<(), ModelError> {
        let is_rate = (0.0..1.0).contains(&rate);
        if is_rate {
            Ok(())
        } else {
            Err(self.error(format!("{key} is {rate}; it must be at least 0 and less than 1")))
        }
    }

    pub(super) fn error(&self, reason: String) -> ModelError {
        ModelError::Config { path: self.path.into(), reason }
    }
}
