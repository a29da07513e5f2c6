//! A column of JSON values. Each value keeps its JSON text, so jsonl output is identical to the input.

use std::path::Path;

use serde_json::Value;

use crate::error::DataError;
use crate::jsonl;

/// The JSON text of a value; `None` if the row does not have the key.
pub(super) type Json = Option<Box<str>>;

/// Formats a value as a csv cell: text without quotes, null as an empty cell, other values as JSON.
pub(super) fn cell(json: Option<&str>) -> Vec<u8> {
    match json {
        None | Some("null") => vec![],
        Some(json) => text(json).unwrap_or_else(|| json.to_owned()).into_bytes(),
    }
}

pub(super) fn texts(
    values: &[Json],
    path: &Path,
    column: &str,
    row: &impl Fn(usize) -> usize,
) -> Result<Vec<String>, DataError> {
    let text = |(index, json): (usize, &Json)| {
        let (row, path, column) = (row(index), path.to_path_buf(), column.to_owned());
        let Some(json) = json.as_deref() else {
            return Err(DataError::ValueType {
                path,
                row,
                column,
                found: "no value".to_owned(),
                expected: "text",
            });
        };
        match serde_json::from_str(json) {
            Ok(Value::String(text)) => Ok(text),
            Ok(Value::Null) => Err(DataError::null(&path, row, &column)),
            Ok(other) => Err(jsonl::value_type(&path, row, &column, &other, "text")),
            Err(error) => Err(DataError::MalformedRow { path, row, reason: format!("not JSON: {error}") }),
        }
    };
    values.iter().enumerate().map(text).collect()
}

/// Returns the text of a JSON string; `None` for other values.
pub(super) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}
