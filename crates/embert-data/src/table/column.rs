//! The values of one column: results, or what a file of the input held.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Float32Array, StringArray};
use arrow_schema::DataType;

use super::chunks::Chunks;
use super::{arrow_cell, json_column};
use crate::error::DataError;
use crate::parquet;

/// The values of one column, one for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Text.
    Text(Vec<String>),
    /// Numbers.
    Number(Vec<f32>),
    /// A list of numbers in each row; in csv and tsv a JSON array in the cell.
    Numbers(Vec<Vec<f32>>),
}

impl Column {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Numbers(values) => values.len(),
        }
    }

    fn write_json(&self, row: usize, out: impl Write) -> io::Result<()> {
        match self {
            Self::Text(values) => serde_json::to_writer(out, &values[row]),
            Self::Number(values) => serde_json::to_writer(out, &values[row]),
            Self::Numbers(values) => serde_json::to_writer(out, &values[row]),
        }
        .map_err(io::Error::from)
    }

    fn array(&self, rows: Range<usize>) -> ArrayRef {
        match self {
            Self::Text(values) => Arc::new(StringArray::from_iter_values(&values[rows])),
            Self::Number(values) => Arc::new(Float32Array::from(values[rows].to_vec())),
            Self::Numbers(values) => {
                let mut lists = ListBuilder::new(Float32Builder::new());
                for list in &values[rows] {
                    lists.values().append_slice(list);
                    lists.append(true);
                }
                Arc::new(lists.finish())
            }
        }
    }
}

/// A column of results, or one of the input as its file held it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Column(Column),
    /// The JSON text of each value; `None` for a key that the row lacks.
    Json(Vec<Option<Box<str>>>),
    /// Values of one arrow type.
    Arrow(Chunks),
}

impl Values {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Column(column) => column.len(),
            Self::Json(values) => values.len(),
            Self::Arrow(chunks) => chunks.len(),
        }
    }

    pub(super) fn write_json(&self, row: usize, mut out: impl Write) -> io::Result<()> {
        match self {
            Self::Column(column) => column.write_json(row, out),
            Self::Json(values) => out.write_all(values[row].as_deref().unwrap_or("null").as_bytes()),
            Self::Arrow(chunks) => {
                let (chunk, row) = chunks.find(row);
                arrow_cell::write_json(chunk, row, &mut out)
            }
        }
    }

    /// The cell of a csv file: text without quotes, null as nothing, and the rest as in JSON.
    pub(super) fn cell(&self, row: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Column(Column::Text(values)) => return Ok(values[row].clone().into_bytes()),
            Self::Json(values) => return Ok(json_column::cell(values[row].as_deref())),
            Self::Arrow(chunks) => {
                let (chunk, row) = chunks.find(row);
                return arrow_cell::cell(chunk, row);
            }
            Self::Column(_) => {}
        }
        let mut cell = Vec::new();
        self.write_json(row, &mut cell)?;
        Ok(cell)
    }

    /// An arrow array of these rows, which are within one chunk.
    pub(super) fn array(&self, rows: Range<usize>, data_type: Option<&DataType>) -> ArrayRef {
        match self {
            Self::Column(column) => column.array(rows),
            Self::Json(values) => json_column::array(&values[rows], data_type),
            Self::Arrow(chunks) => {
                let (length, (chunk, row)) = (rows.len(), chunks.find(rows.start));
                chunk.slice(row, length)
            }
        }
    }

    /// The type of the arrow array, for values that are not typed by themselves.
    pub(super) fn inferred_type(&self) -> Option<DataType> {
        match self {
            Self::Json(values) => Some(json_column::data_type(values)),
            Self::Column(_) | Self::Arrow(_) => None,
        }
    }

    pub(super) fn texts(
        &self,
        path: &Path,
        column: &str,
        row: &impl Fn(usize) -> usize,
    ) -> Result<Vec<String>, DataError> {
        match self {
            Self::Column(Column::Text(values)) => Ok(values.clone()),
            Self::Column(_) => Err(column_type(path, column, "numbers".to_owned())),
            Self::Json(values) => json_column::texts(values, path, column, row),
            Self::Arrow(chunks) => {
                let (limit, mut bytes, mut texts) = (parquet::most_bytes(path)?, 0, Vec::new());
                for chunk in &chunks.arrays {
                    let before = texts.len();
                    texts_of_chunk(chunk, &mut texts, path, column)?;
                    bytes += texts[before..].iter().map(|text: &String| text.len() as u64).sum::<u64>();
                    if bytes > limit {
                        // A dictionary states a text once for many rows.
                        return Err(DataError::Expands { path: path.to_path_buf(), limit });
                    }
                }
                Ok(texts)
            }
        }
    }
}

fn texts_of_chunk(
    chunk: &ArrayRef,
    texts: &mut Vec<String>,
    path: &Path,
    column: &str,
) -> Result<(), DataError> {
    if !is_text(chunk.data_type()) {
        return Err(column_type(path, column, chunk.data_type().to_string()));
    }
    let cast = arrow_cast::cast(chunk, &DataType::LargeUtf8)
        .map_err(|error| DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() })?;
    let strings = cast.as_string::<i64>();
    for index in 0..chunk.len() {
        let row = texts.len() + 1;
        match (chunk.is_null(index), strings.is_null(index)) {
            (true, _) => return Err(DataError::null(path, row, column)),
            (false, true) => return Err(DataError::not_utf8(path, row, column)),
            (false, false) => texts.push(strings.value(index).to_owned()),
        }
    }
    Ok(())
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        _ => data_type.is_string() || data_type.is_binary(),
    }
}

fn column_type(path: &Path, column: &str, found: String) -> DataError {
    DataError::ColumnType { path: path.to_path_buf(), column: column.to_owned(), found, expected: "text" }
}
