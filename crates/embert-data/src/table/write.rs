//! Writes a table to jsonl, csv, tsv or parquet by the extension.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use ::parquet::arrow::ArrowWriter;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{Field, Schema};

use super::column::Values;
use super::{Table, destination};
use crate::error::DataError;
use crate::format::Format;

impl Table {
    /// Writes the table as the extension of `path` says: `.jsonl`, `.csv`, `.tsv` or `.parquet`.
    ///
    /// The file is written under another name and renamed, so that it is complete or not there at all. An existing file is
    /// replaced and keeps its permissions; of a symbolic link, the target is replaced.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`], before anything is written, and [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let format = Format::by_extension(path)?;
        destination::replace(path, |file| self.write_format(format, file)).map_err(DataError::io(path))
    }

    /// Writes a JSON object for each row; a number that is not finite is null.
    ///
    /// # Errors
    ///
    /// Errors of `out`.
    pub fn write_jsonl(&self, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        for row in 0..self.rows() {
            for (at, (name, column)) in self.columns.iter().enumerate() {
                out.write_all(if at == 0 { b"{" } else { b"," })?;
                serde_json::to_writer(&mut out, name)?;
                out.write_all(b":")?;
                column.write_json(row, &mut out)?;
            }
            out.write_all(b"}\n")?;
        }
        out.flush()
    }

    fn write_format(&self, format: Format, file: &File) -> io::Result<()> {
        match format {
            Format::Jsonl => self.write_jsonl(file),
            Format::Delimited(separator) => self.write_delimited(separator, file),
            Format::Parquet => self.write_parquet(file),
        }
    }

    fn write_delimited(&self, separator: u8, file: &File) -> io::Result<()> {
        let mut out = csv::WriterBuilder::new().delimiter(separator).from_writer(BufWriter::new(file));
        out.write_record(self.columns.iter().map(|(name, _)| name))?;
        for row in 0..self.rows() {
            for (_, column) in &self.columns {
                out.write_field(column.cell(row)?)?;
            }
            out.write_record(None::<&[u8]>)?;
        }
        out.flush()
    }

    fn write_parquet(&self, file: &File) -> io::Result<()> {
        let types = self.columns.iter().map(|(_, values)| values.inferred_type()).collect::<Vec<_>>();
        let arrays = |rows: Range<usize>| {
            let columns = self.columns.iter().zip(&types);
            columns
                .map(|((_, values), data_type)| values.array(rows.clone(), data_type.as_ref()))
                .collect::<Vec<_>>()
        };
        let fields = |arrays: &[arrow_array::ArrayRef]| {
            let columns = self.columns.iter().zip(arrays);
            columns
                .map(|((name, _), array)| Field::new(name, array.data_type().clone(), true))
                .collect::<Vec<_>>()
        };
        let mut batches = self.batches().into_iter();
        let first = arrays(batches.next().unwrap_or(0..0));
        let schema = std::sync::Arc::new(Schema::new(fields(&first)));
        let mut out = ArrowWriter::try_new(file, schema.clone(), None)?;
        let batch = |arrays| RecordBatch::try_new(schema.clone(), arrays).map_err(io::Error::other);
        out.write(&batch(first)?)?;
        for rows in batches {
            out.write(&batch(arrays(rows))?)?;
        }
        out.close()?;
        Ok(())
    }

    /// Ranges of rows that lie within one chunk of every arrow column.
    fn batches(&self) -> Vec<Range<usize>> {
        const ROWS: usize = 1024;
        let chunks = self.columns.iter().find_map(|(_, values)| match values {
            Values::Arrow(chunks) => Some(chunks.arrays.iter().map(|chunk| chunk.len()).collect::<Vec<_>>()),
            Values::Column(_) | Values::Json(_) => None,
        });
        let lengths = chunks.unwrap_or_else(|| {
            (0..self.rows()).step_by(ROWS).map(|begin| ROWS.min(self.rows() - begin)).collect()
        });
        let begins = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end - length)
        });
        begins.zip(&lengths).map(|(begin, length)| begin..begin + length).collect()
    }
}
