//! A column of consecutive arrow arrays, like `ChunkedArray` of pyarrow.

use std::io::{self, Write};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::arrow_cell;
use crate::error::DataError;
use crate::parquet;

/// Consecutive arrays of one type.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ChunkedArray {
    pub(super) arrays: Vec<ArrayRef>,
    /// The number of rows up to the end of each array.
    ends: Vec<usize>,
}

impl ChunkedArray {
    pub(super) fn new(arrays: Vec<ArrayRef>) -> Self {
        let ends = arrays.iter().scan(0, |end, array| {
            *end += array.len();
            Some(*end)
        });
        Self { ends: ends.collect(), arrays }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Returns the array with a row, and the index of the row in that array.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    pub(super) fn find(&self, row: usize) -> (&ArrayRef, usize) {
        let at = self.ends.partition_point(|&end| end <= row);
        let array = &self.arrays[at];
        (array, row - (self.ends[at] - array.len()))
    }

    pub(super) fn write_json(&self, row: usize, out: &mut dyn Write) -> io::Result<()> {
        let (array, row) = self.find(row);
        arrow_cell::write_json(array, row, out)
    }

    pub(super) fn cell(&self, row: usize) -> io::Result<Vec<u8>> {
        let (array, row) = self.find(row);
        arrow_cell::cell(array, row)
    }

    /// Returns the texts. Their bytes are limited, because a dictionary stores a text once for many rows.
    pub(super) fn texts(&self, path: &Path, column: &str) -> Result<Vec<String>, DataError> {
        let (limit, mut bytes, mut texts) = (parquet::max_bytes(path)?, 0, Vec::new());
        for chunk in &self.arrays {
            let before = texts.len();
            texts_of_chunk(chunk, &mut texts, path, column)?;
            bytes += texts[before..].iter().map(|text: &String| text.len() as u64).sum::<u64>();
            if bytes > limit {
                return Err(DataError::DecompressionBomb { path: path.to_path_buf(), limit });
            }
        }
        Ok(texts)
    }
}

fn texts_of_chunk(
    chunk: &ArrayRef,
    texts: &mut Vec<String>,
    path: &Path,
    column: &str,
) -> Result<(), DataError> {
    if !is_text(chunk.data_type()) {
        let (path, column, found) = (path.to_path_buf(), column.to_owned(), chunk.data_type().to_string());
        return Err(DataError::ColumnType { path, column, found, expected: "text" });
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
