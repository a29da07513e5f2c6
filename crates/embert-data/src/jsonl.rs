//! Reads jsonl files: one JSON object per line. Empty lines are skipped.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use crate::columns::{ColumnRole, Columns, suggest_column};
use crate::error::DataError;
use crate::formatting::quoted;
use crate::label_encoding::{RawFile, RawLabel, RawRow};

/// Reads texts and labels. A row without the label key has no label; it is an error if no row has the key.
pub(crate) fn read(path: &Path, columns: &Columns) -> Result<RawFile, DataError> {
    let first_missing = Cell::new(None);
    let has_label = Cell::new(false);
    let rows = objects(path, |row, mut object| {
        let label = match object.get_mut(&columns.label).map(Value::take) {
            Some(value) => {
                has_label.set(true);
                label(path, row, &columns.label, value)?
            }
            None => {
                let error = || missing_key(path, row, &columns.label, ColumnRole::Label, &object);
                first_missing.set(first_missing.take().or_else(|| Some(error())));
                RawLabel::Missing
            }
        };
        Ok(RawRow { row, text: text(path, row, &columns.text, &mut object)?, label })
    })?;
    match first_missing.into_inner().filter(|_| !has_label.get()) {
        Some(error) => Err(error),
        None => Ok(RawFile { path: path.to_path_buf(), rows, names: None, notes: vec![] }),
    }
}

pub(crate) fn read_texts(path: &Path, column: &str) -> Result<Vec<String>, DataError> {
    objects(path, |row, mut object| text(path, row, column, &mut object))
}

/// Returns the name and the values of each key, and the line of each row.
///
/// A value is its JSON text; `None` if the row does not have the key.
pub(crate) fn read_columns(path: &Path) -> Result<(Vec<JsonColumn>, Vec<usize>), DataError> {
    let mut table = JsonTable::default();
    for_each_line(path, |row, line| table.add(path, row, line))?;
    let JsonTable { mut columns, lines, .. } = table;
    columns.iter_mut().for_each(|(_, values)| values.resize(lines.len(), None));
    Ok((columns, lines))
}

type JsonColumn = (String, Vec<Option<Box<str>>>);

/// The rows read so far. A column is as long as the last row that has its key.
#[derive(Default)]
struct JsonTable {
    columns: Vec<JsonColumn>,
    by_name: HashMap<String, usize>,
    lines: Vec<usize>,
    bytes: usize,
}

impl JsonTable {
    fn add(&mut self, path: &Path, row: usize, line: &[u8]) -> Result<(), DataError> {
        object(path, row, line)?;
        let malformed = |reason: String| DataError::MalformedRow { path: path.to_path_buf(), row, reason };
        let line = std::str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
        for (name, value) in fields(line).map_err(|error| malformed(format!("not JSON: {error}")))? {
            let index = *self.by_name.entry(name).or_insert_with_key(|name| {
                self.columns.push((name.clone(), vec![]));
                self.columns.len() - 1
            });
            let values = &mut self.columns[index].1;
            values.resize(self.lines.len() + 1, None);
            values[self.lines.len()] = Some(value.into());
        }
        self.lines.push(row);
        self.bytes += line.len();
        // A sparse table needs rows × columns cells, which can be far more than the bytes of the file.
        const FREE_CELLS: usize = 1 << 16;
        let num_cells = self.columns.len().saturating_mul(self.lines.len());
        if num_cells > 4 * self.bytes + FREE_CELLS {
            return Err(malformed(format!("too many different keys for a table: {}", self.columns.len())));
        }
        Ok(())
    }
}

/// Returns the keys of a JSON object and the text of their values.
fn fields(object: &str) -> serde_json::Result<Vec<(String, &str)>> {
    let mut rest = object[1..].trim_start();
    let mut fields = Vec::new();
    while !rest.starts_with('}') {
        let (key, after) = first_value(rest)?;
        let value = after.trim_start().trim_start_matches(':').trim_start();
        let (_, after) = first_value(value)?;
        fields.push((serde_json::from_str(key)?, &value[..value.len() - after.len()]));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(fields)
}

/// Splits a text after the JSON value at its start.
fn first_value(text: &str) -> serde_json::Result<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.next().transpose()?;
    Ok(text.split_at(values.byte_offset()))
}

type Object = Map<String, Value>;

/// Calls `parse` with the object and the number of each line, from 1; returns the results.
fn objects<T>(
    path: &Path,
    parse: impl Fn(usize, Object) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let mut parsed = Vec::new();
    for_each_line(path, |row, line| {
        parsed.push(parse(row, object(path, row, line)?)?);
        Ok(())
    })?;
    Ok(parsed)
}

/// Calls `visit` with the number, from 1, and the content of each line that is not empty.
fn for_each_line(
    path: &Path,
    mut visit: impl FnMut(usize, &[u8]) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut lines = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    let mut line = Vec::new();
    for row in 1.. {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(DataError::io(path))? == 0 {
            break;
        }
        let content = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if !content.is_empty() {
            visit(row, content)?;
        }
    }
    Ok(())
}

fn object(path: &Path, row: usize, line: &[u8]) -> Result<Object, DataError> {
    let malformed = |reason: String| DataError::MalformedRow { path: path.to_path_buf(), row, reason };
    let line = std::str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(malformed(format!("expected a JSON object, found {}", describe(&other)))),
        Err(error) => Err(malformed(format!("not JSON: {error}"))),
    }
}

fn text(path: &Path, row: usize, column: &str, object: &mut Object) -> Result<String, DataError> {
    match object.get_mut(column).map(Value::take) {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Null) => Err(DataError::null(path, row, column)),
        Some(other) => Err(value_type(path, row, column, &other, "text")),
        None => Err(missing_key(path, row, column, ColumnRole::Text, object)),
    }
}

fn label(path: &Path, row: usize, column: &str, value: Value) -> Result<RawLabel, DataError> {
    Ok(match value {
        Value::Null => RawLabel::Missing,
        Value::String(name) => RawLabel::Text(name),
        Value::Bool(label) => RawLabel::Boolean(label),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => RawLabel::Integer(number.into()),
            (_, Some(number), _) => RawLabel::Integer(number.into()),
            (.., number) => number.map_or(RawLabel::Missing, RawLabel::from_float),
        },
        other => return Err(value_type(path, row, column, &other, "an integer, text or a boolean")),
    })
}

fn missing_key(path: &Path, row: usize, column: &str, role: ColumnRole, object: &Object) -> DataError {
    let keys = || object.keys().map(String::as_str);
    let suggestion = suggest_column(role, column, keys()).map(str::to_owned);
    let (path, column) = (path.to_path_buf(), column.to_owned());
    DataError::MissingKey { path, row, column, found: quoted(keys()), role, suggestion }
}

pub(crate) fn value_type(
    path: &Path,
    row: usize,
    column: &str,
    value: &Value,
    expected: &'static str,
) -> DataError {
    let (path, column, found) = (path.to_path_buf(), column.to_owned(), describe(value));
    DataError::ValueType { path, row, column, found, expected }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
