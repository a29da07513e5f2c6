//! A column of JSON values, each kept as its text: written unchanged to jsonl, typed for parquet.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
use arrow_schema::DataType;
use serde_json::Value;

use crate::error::DataError;
use crate::jsonl;

/// The JSON text of a value; `None` for a key that the row lacks.
type Json = Option<Box<str>>;

/// The cell of a csv file: text without quotes, null as nothing, and the rest as JSON.
pub(super) fn cell(json: Option<&str>) -> Vec<u8> {
    match json {
        None | Some("null") => vec![],
        Some(json) => text(json).unwrap_or_else(|| json.to_owned()).into_bytes(),
    }
}

/// The type of a parquet column that holds all values exactly: text if no other does.
pub(super) fn data_type(values: &[Json]) -> DataType {
    let all = |is_of_type: fn(&str) -> bool| present(values).all(is_of_type);
    if present(values).next().is_none() {
        DataType::Utf8
    } else if all(|json| json.parse::<bool>().is_ok()) {
        DataType::Boolean
    } else if all(|json| json.parse::<i64>().is_ok()) {
        DataType::Int64
    } else if all(|json| json.parse::<u64>().is_ok()) {
        DataType::UInt64
    } else if all(is_exact_float) {
        DataType::Float64
    } else {
        DataType::Utf8
    }
}

/// An array of the type that [`data_type`] found for the column.
pub(super) fn array(values: &[Json], data_type: Option<&DataType>) -> ArrayRef {
    match data_type {
        Some(DataType::Boolean) => Arc::new(BooleanArray::from(parsed(values))),
        Some(DataType::Int64) => Arc::new(Int64Array::from(parsed(values))),
        Some(DataType::UInt64) => Arc::new(UInt64Array::from(parsed(values))),
        Some(DataType::Float64) => Arc::new(Float64Array::from(parsed(values))),
        _ => {
            let value = |json: &str| text(json).unwrap_or_else(|| json.to_owned());
            Arc::new(values.iter().map(|json| not_null(json).map(value)).collect::<StringArray>())
        }
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
                found: "no such key".to_owned(),
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

fn present(values: &[Json]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(not_null)
}

fn not_null(json: &Json) -> Option<&str> {
    json.as_deref().filter(|json| *json != "null")
}

fn parsed<T: std::str::FromStr>(values: &[Json]) -> Vec<Option<T>> {
    values.iter().map(|json| not_null(json)?.parse().ok()).collect()
}

/// The text that a JSON string is.
fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}

/// A number that a 64-bit float holds: any number with a fraction or an exponent, and integers up to 2^53.
fn is_exact_float(json: &str) -> bool {
    const MOST: u64 = 1 << 53;
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return false;
    }
    match json.parse::<i64>() {
        Ok(integer) => integer.unsigned_abs() <= MOST,
        Err(_) => json.contains(['.', 'e', 'E']) || json == "-0",
    }
}
