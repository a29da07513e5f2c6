//! Reads all columns of a file, each with its values as they are.

use std::path::Path;

use super::Table;
#[cfg(feature = "parquet")]
use super::chunks::Chunks;
use super::column::{Column, Values};
use crate::error::DataError;
use crate::format::Format;
use crate::note::DataNote;
use crate::options::CsvQuoting;
use crate::{delimited, jsonl};

/// Reads all columns of a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, in order.
///
/// Cells of csv are text. Values of jsonl and parquet keep their types; a key that a row of jsonl lacks is null.
///
/// # Errors
///
/// Any [`DataError`] about files; the first offending row is named.
pub fn read_table(path: &Path, csv_quoting: CsvQuoting) -> Result<(Table, Vec<DataNote>), DataError> {
    let (columns, lines, notes) = match Format::of(path)? {
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            let columns = crate::parquet::read_columns(path)?.into_iter();
            let arrow = |(name, arrays)| (name, Values::Arrow(Chunks::new(arrays)));
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
    };
    let table = Table { columns, path: path.to_path_buf(), lines };
    match table.rows() {
        0 => Err(DataError::Empty { path: path.to_path_buf() }),
        _ => Ok((table, notes)),
    }
}
