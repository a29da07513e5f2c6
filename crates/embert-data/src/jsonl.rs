//! Reads jsonl files: one JSON object per line. Empty lines are skipped.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use crate::columns::{ColumnRole, find_column};
use crate::error::DataError;

/// Returns the name and the values of each key, and the line of each row. With `wanted`, returns only these keys.
///
/// A value is its JSON text; `None` if the row does not have the key.
pub(crate) fn read_columns(
    path: &Path,
    wanted: Option<&[(&str, ColumnRole)]>,
) -> Result<(Vec<JsonColumn>, Vec<usize>), DataError> {
    let mut table = JsonTable::default();
    let is_wanted =
        |key: &str| wanted.is_none_or(|wanted| wanted.iter().any(|(column, _)| column.trim() == key.trim()));
    for_each_line(path, |row, line| table.add(path, row, line, &is_wanted))?;
    let JsonTable { mut columns, lines, .. } = table;
    let names = columns.iter().map(|(name, _)| name.as_str());
    let wanted = wanted.unwrap_or_default().iter().filter(|_| !lines.is_empty());
    wanted
        .map(|(column, role)| find_column(path, names.clone(), column, *role))
        .try_for_each(|it| it.map(drop))?;
    columns.retain(|(name, _)| is_wanted(name));
    columns.iter_mut().for_each(|(_, values)| values.resize(lines.len(), None));
    Ok((columns, lines))
}

type JsonColumn = (String, Vec<Option<Box<str>>>);

/// The rows read so far. A column is as long as the last row that has its key; the other columns are empty.
#[derive(Default)]
struct JsonTable {
    columns: Vec<JsonColumn>,
    kept: usize,
    by_name: HashMap<String, usize>,
    lines: Vec<usize>,
    bytes: usize,
}

impl JsonTable {
    fn add(
        &mut self,
        path: &Path,
        row: usize,
        line: &[u8],
        is_wanted: &impl Fn(&str) -> bool,
    ) -> Result<(), DataError> {
        require_object(path, row, line)?;
        let malformed = |reason: String| DataError::MalformedRow { path: path.to_path_buf(), row, reason };
        let line = std::str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
        for (name, value) in fields(line).map_err(|error| malformed(format!("not JSON: {error}")))? {
            let keep = is_wanted(&name);
            let index = *self.by_name.entry(name).or_insert_with_key(|name| {
                self.columns.push((name.clone(), vec![]));
                self.kept += usize::from(keep);
                self.columns.len() - 1
            });
            if !keep {
                continue;
            }
            let values = &mut self.columns[index].1;
            values.resize(self.lines.len() + 1, None);
            values[self.lines.len()] = Some(value.into());
        }
        self.lines.push(row);
        self.bytes += line.len();
        // A sparse table needs rows × columns cells, which can be far more than the bytes of the file.
        const FREE_CELLS: usize = 1 << 16;
        let num_cells = self.kept.saturating_mul(self.lines.len());
        if num_cells > 4 * self.bytes + FREE_CELLS {
            return Err(malformed(format!("too many different keys for a table: {}", self.kept)));
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

/// Returns an error if the line is not a JSON object.
fn require_object(path: &Path, row: usize, line: &[u8]) -> Result<(), DataError> {
    let malformed = |reason: String| DataError::MalformedRow { path: path.to_path_buf(), row, reason };
    let line = std::str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8".to_owned()))?;
    match serde_json::from_str(line) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(other) => Err(malformed(format!("expected a JSON object, found {}", describe(&other)))),
        Err(error) => Err(malformed(format!("not JSON: {error}"))),
    }
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
