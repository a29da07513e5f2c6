//! jsonl files: a JSON object on each line; empty lines are passed over.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use crate::columns::Columns;
use crate::error::{DataError, quoted};
use crate::labels::{RawFile, RawLabel, RawRow};

pub(crate) fn read(path: &Path, columns: &Columns) -> Result<RawFile, DataError> {
    let rows = objects(path, |row, mut object| {
        let label = label(path, row, &columns.label, take(path, row, &columns.label, &mut object)?)?;
        let text = text(path, row, &columns.text, take(path, row, &columns.text, &mut object)?)?;
        Ok(RawRow { row, text, label })
    })?;
    Ok(RawFile { path: path.to_path_buf(), rows, names: None })
}

pub(crate) fn read_texts(path: &Path, column: &str) -> Result<Vec<String>, DataError> {
    objects(path, |row, mut object| text(path, row, column, take(path, row, column, &mut object)?))
}

type Object = Map<String, Value>;

/// What `parse` makes of each line, counted from 1.
fn objects<T>(
    path: &Path,
    parse: impl Fn(usize, Object) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let mut lines = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    let mut parsed = Vec::new();
    let mut line = Vec::new();
    for row in 1.. {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(DataError::io(path))? == 0 {
            break;
        }
        let content = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if !content.is_empty() {
            parsed.push(parse(row, object(path, row, content)?)?);
        }
    }
    Ok(parsed)
}

fn object(path: &Path, row: usize, line: &[u8]) -> Result<Object, DataError> {
    let malformed = |reason: String| DataError::MalformedRow { path: path.to_path_buf(), row, reason };
    let line = std::str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(malformed(format!("expected a JSON object, found {}", kind(&other)))),
        Err(error) => Err(malformed(format!("not JSON: {error}"))),
    }
}

fn take(path: &Path, row: usize, column: &str, object: &mut Object) -> Result<Value, DataError> {
    match object.get_mut(column) {
        Some(Value::Null) => Err(DataError::null(path, row, column)),
        Some(value) => Ok(value.take()),
        None => Err(DataError::MissingKey {
            path: path.to_path_buf(),
            row,
            column: column.to_owned(),
            found: quoted(object.keys().map(String::as_str)),
        }),
    }
}

fn text(path: &Path, row: usize, column: &str, value: Value) -> Result<String, DataError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(value_type(path, row, column, &other, "text")),
    }
}

fn label(path: &Path, row: usize, column: &str, value: Value) -> Result<RawLabel, DataError> {
    match value {
        Value::String(name) => Ok(RawLabel::Name(name)),
        Value::Bool(label) => Ok(RawLabel::Id(label.into())),
        other => match other.as_i64() {
            Some(id) => Ok(RawLabel::Id(id)),
            None => Err(value_type(path, row, column, &other, "an integer, text or a boolean")),
        },
    }
}

fn value_type(path: &Path, row: usize, column: &str, value: &Value, expected: &'static str) -> DataError {
    let (path, column, found) = (path.to_path_buf(), column.to_owned(), kind(value));
    DataError::ValueType { path, row, column, found, expected }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
