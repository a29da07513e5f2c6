//! The keys of a family in config.json. One list of calls reads, checks and writes them.

use std::fmt::Display;
use std::path::Path;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::ModelError;

/// The largest size that a tensor may have on every device: indices are of 32 bits.
const LARGEST: usize = i32::MAX as usize;

/// Each method replaces `value` by the file's, if the file has the key, checks it and notes it for writing. Applied to an
/// empty file, a list of calls writes the values that a config has.
pub(crate) struct Keys<'a> {
    path: &'a Path,
    file: &'a Map<String, Value>,
    values: IndexMap<&'static str, Value>,
    kept: Map<String, Value>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(path: &'a Path, file: &'a Map<String, Value>) -> Self {
        Self { path, file, values: IndexMap::new(), kept: Map::new() }
    }

    /// Every key with its value, in the order of the calls.
    pub(crate) fn into_values(self) -> IndexMap<&'static str, Value> {
        self.values
    }

    /// The keys of [`kept`](Self::kept).
    pub(crate) fn into_kept(self) -> Map<String, Value> {
        self.kept
    }

    /// A value of any kind.
    pub(super) fn value<T: DeserializeOwned + Serialize>(
        &mut self,
        key: &'static str,
        value: &mut T,
    ) -> Result<(), ModelError> {
        if let Some(found) = self.file.get(key) {
            *value = T::deserialize(found).map_err(|error| self.wrong(format!("{key}: {error}")))?;
        }
        self.values.insert(key, json!(value));
        Ok(())
    }

    /// A size: 1 or more.
    pub(super) fn size(&mut self, key: &'static str, size: &mut usize) -> Result<(), ModelError> {
        self.value(key, size)?;
        match *size {
            0 => Err(self.wrong(format!("{key} is 0"))),
            1..=LARGEST => Ok(()),
            _ => Err(self.wrong(format!("{key} is {size}, more than {LARGEST}"))),
        }
    }

    /// A dropout rate.
    pub(super) fn rate(&mut self, key: &'static str, rate: &mut f64) -> Result<(), ModelError> {
        self.value(key, rate)?;
        self.check_rate(key, *rate)
    }

    /// A dropout rate that may be `null`.
    pub(super) fn optional_rate(
        &mut self,
        key: &'static str,
        rate: &mut Option<f64>,
    ) -> Result<(), ModelError> {
        self.value(key, rate)?;
        rate.map_or(Ok(()), |rate| self.check_rate(key, rate))
    }

    /// A number above 0.
    pub(super) fn positive(&mut self, key: &'static str, value: &mut f64) -> Result<(), ModelError> {
        self.value(key, value)?;
        let is_positive = *value > 0.0;
        if is_positive { Ok(()) } else { Err(self.wrong(format!("{key} is {value}, and must be above 0"))) }
    }

    /// A key of which this library implements one value.
    pub(crate) fn only<T>(&mut self, key: &'static str, supported: T) -> Result<(), ModelError>
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

    /// A key without a meaning here, which is written as it was read.
    pub(super) fn kept<T: DeserializeOwned + Serialize>(
        &mut self,
        key: &'static str,
        mut default: T,
    ) -> Result<(), ModelError> {
        self.value(key, &mut default)?;
        self.kept.insert(key.into(), json!(default));
        Ok(())
    }

    /// Checks that attention can split hidden states among its heads.
    pub(super) fn divisible(
        &self,
        (hidden, hidden_size): (&str, usize),
        (heads, num_heads): (&str, usize),
    ) -> Result<(), ModelError> {
        if hidden_size.is_multiple_of(num_heads) {
            return Ok(());
        }
        Err(self.wrong(format!("{hidden} {hidden_size} is not a multiple of {heads} {num_heads}")))
    }

    fn check_rate(&self, key: &str, rate: f64) -> Result<(), ModelError> {
        let is_rate = (0.0..1.0).contains(&rate);
        if is_rate { Ok(()) } else { Err(self.wrong(format!("{key} is {rate}, and must lie in 0..1"))) }
    }

    fn wrong(&self, reason: String) -> ModelError {
        ModelError::Config { path: self.path.into(), reason }
    }
}
