//! Reads all or some columns of a file, in their own types.

use std::path::Path;

use super::Table;
#[cfg(feature = "parquet")]
use super::chunked_array::ChunkedArray;
use super::column::{Column, Values};
use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::format::Format;
use crate::note::DataNote;
use crate::options::CsvQuoting;
use crate::{delimited, jsonl};

/// Reads all columns of a file. With `wanted`, reads only these columns; an error if one does not exist.
pub(crate) fn read_columns(
    path: &Path,
    csv_quoting: CsvQuoting,
    wanted: Option<&[(&str, ColumnRole)]>,
) -> Result<(Table, Vec<DataNote>), DataError> {
    let table = Table { path: path.to_path_buf(), ..Table::default() };
    Ok(match Format::detect(path)? {
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            let file = crate::parquet::read_columns(path, wanted)?;
            let arrow = |(name, arrays)| (name, Values::Arrow(ChunkedArray::new(arrays)));
            let columns = file.columns.into_iter().map(arrow).collect();
            (Table { columns, label_names: file.label_names, ..table }, vec![])
        }
        Format::Delimited(separator) => {
            let (columns, notes) = delimited::read_columns(path, separator, csv_quoting, wanted)?;
            let text = |(name, cells)| (name, Values::Column(Column::Text(cells)));
            (Table { columns: columns.into_iter().map(text).collect(), ..table }, notes)
        }
        Format::Jsonl => {
            let (columns, lines) = jsonl::read_columns(path, wanted)?;
            let columns = columns.into_iter().map(|(name, values)| (name, Values::Json(values))).collect();
            (Table { columns, lines, ..table }, vec![])
        }
    })
}
