//! Reads json and jsonl files in chunks. A row is an object; its values keep their JSON texts.

mod columns_object;
mod keys;
mod rows;
mod scanner;
mod syntax;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::columns::ColumnRole;
use crate::describe_json::describe;
use crate::error::DataError;
use crate::find_column::find_column;
use crate::json_type::JsonType;
use crate::options::ReadOptions;
use crate::table::{Chunk, ChunkSize, JsonValues, Values};
pub(crate) use keys::Keys;
use rows::Rows;
use syntax::fields;

/// An open json or jsonl file.
pub(crate) struct JsonReader {
    path: PathBuf,
    rows: Rows,
    keys: Keys,
    wanted: Option<Vec<(String, ColumnRole)>>,
    is_first_chunk: bool,
}

impl JsonReader {
    /// Opens a file. If `is_document`, an object may span several lines. With `wanted`, reads only these keys.
    ///
    /// Otherwise `keys` are the keys of all rows, so that all chunks have the same columns.
    pub(crate) fn open(
        path: &Path,
        options: &ReadOptions,
        is_document: bool,
        wanted: Option<&[(&str, ColumnRole)]>,
        keys: Keys,
    ) -> Result<Self, DataError> {
        Ok(Self {
            path: path.to_path_buf(),
            rows: Rows::open(path, options, is_document)?,
            keys,
            wanted: wanted
                .map(|wanted| wanted.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect()),
            is_first_chunk: true,
        })
    }

    /// Returns the next rows; `None` at the end. A missing key is `None`.
    pub(crate) fn next_chunk(&mut self, size: ChunkSize) -> Result<Option<Chunk>, DataError> {
        let (mut numbers, mut bytes, mut text) = (Vec::new(), 0, Vec::new());
        let mut columns: Vec<Vec<Option<Box<str>>>> = Vec::new();
        while size.has_room(numbers.len(), bytes) {
            let Some(row) = self.rows.next(&mut text)? else { break };
            bytes += text.len();
            let object = object(&self.path, row, &text, self.rows.is_list())?;
            for (name, value) in fields(&object).map_err(|error| malformed(&self.path, row, &error))? {
                let index = self.keys.index(name);
                if self.is_wanted(index) {
                    columns.resize(columns.len().max(index + 1), vec![]);
                    columns[index].resize(numbers.len() + 1, None);
                    columns[index][numbers.len()] = Some(value.into());
                }
            }
            numbers.push(row);
        }
        self.require_wanted(numbers.is_empty())?;
        self.is_first_chunk = false;
        Ok((!numbers.is_empty())
            .then(|| Chunk { columns: self.columns(columns, numbers.len()), rows: numbers }))
    }

    /// Returns the columns of a chunk: all keys, or all wanted columns. A wanted column that no row has is null.
    fn columns(&self, mut values: Vec<Vec<Option<Box<str>>>>, rows: usize) -> Vec<(String, Values)> {
        values.resize(self.keys.names().len(), vec![]);
        let mut columns = Vec::new();
        for (index, (name, mut values)) in self.keys.names().iter().zip(values).enumerate() {
            if self.is_wanted(index) {
                values.resize(rows, None);
                columns.push((name.clone(), Values::Json(JsonValues::new(values, self.column_type(index)))));
            }
        }
        for (name, _) in self.wanted.iter().flatten() {
            let is_same = |(found, _): &(String, Values)| found.trim() == name.trim();
            if !columns.iter().any(is_same) {
                columns.push((name.clone(), Values::Json(JsonValues::new(vec![None; rows], None))));
            }
        }
        columns
    }

    fn column_type(&self, index: usize) -> Option<JsonType> {
        if self.wanted.is_some() { None } else { Some(self.keys.json_type(index)) }
    }

    fn is_wanted(&self, index: usize) -> bool {
        let name = self.keys.names()[index].trim();
        self.wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|(column, _)| column.trim() == name))
    }

    /// Returns an error for a wanted key that no row has: for texts after the first chunk, for labels at the end.
    fn require_wanted(&self, is_end: bool) -> Result<(), DataError> {
        let names = || self.keys.names().iter().map(String::as_str);
        for (column, role) in self.wanted.iter().flatten() {
            let is_due = is_end || (self.is_first_chunk && *role != ColumnRole::Label);
            if is_due && !(is_end && self.is_first_chunk) {
                find_column(&self.path, names(), column, *role)?;
            }
        }
        Ok(())
    }
}

/// Reads all rows of a file and adds their keys, with the types of the values.
pub(crate) fn find_keys(
    path: &Path,
    options: &ReadOptions,
    is_document: bool,
    keys: &mut Keys,
) -> Result<(), DataError> {
    let mut rows = Rows::open(path, options, is_document)?;
    let mut text = Vec::new();
    while let Some(row) = rows.next(&mut text)? {
        let object = object(path, row, &text, rows.is_list())?;
        for (name, value) in fields(&object).map_err(|error| malformed(path, row, &error))? {
            let index = keys.index(name);
            keys.add_value(index, value);
        }
        keys.add_row(path, row, text.len())?;
    }
    Ok(())
}

/// Returns the text of a valid object. In a list, a string is a row with the key `text`, as in `datasets`.
fn object(path: &Path, row: usize, text: &[u8], is_list: bool) -> Result<String, DataError> {
    let text = std::str::from_utf8(text.trim_ascii());
    let undecodable = |_| DataError::undecodable(path, row, "utf-8".to_owned(), &[]);
    let text = text.map_err(undecodable)?;
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        Ok(Value::String(_)) if is_list => Ok(format!("{{\"text\":{text}}}")),
        Ok(other) => {
            let reason = format!("expected a JSON object, found {}", describe(&other));
            Err(DataError::MalformedRow { path: path.to_path_buf(), row, reason })
        }
        Err(error) => Err(malformed(path, row, &error)),
    }
}

fn malformed(path: &Path, row: usize, error: &serde_json::Error) -> DataError {
    DataError::MalformedRow { path: path.to_path_buf(), row, reason: format!("not JSON: {error}") }
}
