//! Reads all columns of a file, in their own types.

use std::path::Path;

#[cfg(feature = "parquet")]
use super::chunked_array::ChunkedArray;
use super::column::{Column, Values};
use crate::error::DataError;
use crate::format::Format;
use crate::note::DataNote;
use crate::options::CsvQuoting;
use crate::{delimited, jsonl};

/// Named columns, the line of each row (empty if lines are rows), and notes.
type Parts = (Vec<(String, Values)>, Vec<usize>, Vec<DataNote>);

pub(super) fn columns(path: &Path, csv_quoting: CsvQuoting) -> Result<Parts, DataError> {
    Ok(match Format::detect(path)? {
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            let columns = crate::parquet::read_columns(path)?.into_iter();
            let arrow = |(name, arrays)| (name, Values::Arrow(ChunkedArray::new(arrays)));
            (columns.map(arrow).collect(), vec![], vec![])
        }
        Format::Delimited(separator) => {
            let (columns, notes) = delimited::read_columns(path, separator, csv_quoting)?;
            let text = |(name, cells)| (name, Values::Column(Column::Text(cells)));
            (columns.into_iter().map(text).collect(), vec![], notes)
        }
        Format::Jsonl => {
            let (columns, lines) = jsonl::read_columns(path)?;
            (columns.into_iter().map(|(name, values)| (name, Values::Json(values))).collect(), lines, vec![])
        }
    })
}
