//! A column of JSON values. Each value keeps its JSON text, so jsonl output is identical to the input.

use std::ops::Deref;

use crate::json_type::JsonType;
#[cfg(feature = "parquet")]
use crate::json_type::PossibleTypes;

/// The JSON text of a value; `None` if the row does not have the key.
pub(crate) type Json = Option<Box<str>>;

/// The values of a column, and their type in the complete file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct JsonValues {
    values: Vec<Json>,
    json_type: Option<JsonType>,
}

impl JsonValues {
    /// `json_type` is the type of all values of the file; `None` if it is unknown.
    pub(crate) fn new(values: Vec<Json>, json_type: Option<JsonType>) -> Self {
        Self { values, json_type }
    }

    /// Returns the type of all values of the file. If it is unknown, returns the type of these values.
    #[cfg(feature = "parquet")]
    pub(super) fn json_type(&self) -> JsonType {
        self.json_type.unwrap_or_else(|| {
            let mut types = PossibleTypes::new();
            self.values.iter().flatten().for_each(|json| types.add(json));
            types.first()
        })
    }

    pub(super) fn append(&mut self, more: Self) {
        if self.json_type != more.json_type {
            self.json_type = None;
        }
        self.values.extend(more.values);
    }
}

impl Deref for JsonValues {
    type Target = [Json];

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}

impl IntoIterator for JsonValues {
    type Item = Json;
    type IntoIter = std::vec::IntoIter<Json>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

/// Formats a value as a csv cell: text without quotes, null as an empty cell, other values as JSON.
pub(super) fn cell(json: Option<&str>) -> Vec<u8> {
    match json {
        None | Some("null") => vec![],
        Some(json) => text(json).unwrap_or_else(|| json.to_owned()).into_bytes(),
    }
}

/// Returns the text of a JSON string; `None` for other values.
pub(super) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}
