//! Writes a table to jsonl, csv, tsv or parquet by the extension.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

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
            #[cfg(feature = "parquet")]
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
}
