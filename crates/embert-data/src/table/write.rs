//! Writes a table to jsonl, csv, tsv or parquet.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Table, output_file};
use crate::error::DataError;
use crate::format::Format;

impl Table {
    /// Writes the table in the format of the extension: `.jsonl`, `.csv`, `.tsv` or `.parquet`.
    ///
    /// Writes a temporary file and renames it, so the file at `path` is always complete. Replaces an existing file and
    /// keeps its permissions. Replaces the target of a symbolic link, not the link.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`] before anything is written; [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let format = Format::by_extension(path)?;
        output_file::replace(path, |file| self.write_format(format, file)).map_err(DataError::io(path))
    }

    /// Writes one JSON object per row. NaN and infinity become null.
    ///
    /// # Errors
    ///
    /// An error of `out`.
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
