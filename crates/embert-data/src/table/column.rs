//! The values of one column: results, or values of the input file.

use std::io::{self, Write};

#[cfg(feature = "parquet")]
use super::chunked_array::ChunkedArray;
use super::json_column::{self, JsonValues};

/// A column of results, with one value per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Text.
    Text(Vec<String>),
    /// A list of texts per row. In csv and tsv, the cell is a JSON array.
    Texts(Vec<Vec<String>>),
    /// Numbers.
    Number(Vec<f32>),
    /// A list of numbers per row. In csv and tsv, the cell is a JSON array.
    Numbers(Vec<Vec<f32>>),
}

impl Column {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Numbers(values) => values.len(),
        }
    }

    fn write_json(&self, row: usize, out: impl Write) -> io::Result<()> {
        match self {
            Self::Text(values) => serde_json::to_writer(out, &values[row]),
            Self::Texts(values) => serde_json::to_writer(out, &values[row]),
            Self::Number(values) => serde_json::to_writer(out, &values[row]),
            Self::Numbers(values) => serde_json::to_writer(out, &values[row]),
        }
        .map_err(io::Error::from)
    }
}

/// A column of results, or a column of the input file in its own types.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Column(Column),
    /// The JSON text of each value; `None` if the row does not have the key.
    Json(JsonValues),
    /// Values of one arrow type.
    #[cfg(feature = "parquet")]
    Arrow(ChunkedArray),
}

impl Values {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Column(column) => column.len(),
            Self::Json(values) => values.len(),
            #[cfg(feature = "parquet")]
            Self::Arrow(chunks) => chunks.len(),
        }
    }

    /// Adds the values of another column of the same kind.
    pub(super) fn append(&mut self, more: Self) {
        match (self, more) {
            (Self::Column(Column::Text(values)), Self::Column(Column::Text(more))) => values.extend(more),
            (Self::Column(Column::Texts(values)), Self::Column(Column::Texts(more))) => values.extend(more),
            (Self::Column(Column::Number(values)), Self::Column(Column::Number(more))) => values.extend(more),
            (Self::Column(Column::Numbers(values)), Self::Column(Column::Numbers(more))) => {
                values.extend(more)
            }
            (Self::Json(values), Self::Json(more)) => values.append(more),
            #[cfg(feature = "parquet")]
            (Self::Arrow(chunks), Self::Arrow(more)) => chunks.append(more),
            _ => unreachable!("the parts of a column are of one kind, because their files have one format"),
        }
    }

    pub(super) fn write_json(&self, row: usize, mut out: impl Write) -> io::Result<()> {
        match self {
            Self::Column(column) => column.write_json(row, out),
            Self::Json(values) => out.write_all(values[row].as_deref().unwrap_or("null").as_bytes()),
            #[cfg(feature = "parquet")]
            Self::Arrow(chunks) => chunks.write_json(row, &mut out),
        }
    }

    /// Formats a value as a csv cell: text without quotes, null as an empty cell, other values as JSON.
    pub(super) fn cell(&self, row: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Column(Column::Text(values)) => return Ok(values[row].clone().into_bytes()),
            Self::Json(values) => return Ok(json_column::cell(values[row].as_deref())),
            #[cfg(feature = "parquet")]
            Self::Arrow(chunks) => return chunks.cell(row),
            Self::Column(_) => {}
        }
        let mut cell = Vec::new();
        self.write_json(row, &mut cell)?;
        Ok(cell)
    }
}
