//! A table of results, and its files: jsonl, csv, tsv or parquet by the extension.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray};

use crate::error::DataError;
use crate::format::Format;

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

/// Named columns of equal length, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// The table with one more column.
    ///
    /// # Panics
    ///
    /// When the column is of another length than those before it.
    pub fn with_column(mut self, name: &str, column: Column) -> Self {
        let rows = self.columns.first().map_or(column.len(), |(_, first)| first.len());
        assert_eq!(column.len(), rows, "column {name:?} has another number of rows than the table");
        self.columns.push((name.to_owned(), column));
        self
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Says whether [`Table::write`] knows the extension of `path`.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`].
    pub fn require_writable(path: &Path) -> Result<(), DataError> {
        Format::by_extension(path).map(|_| ())
    }

    /// Writes the table as the extension of `path` says: `.jsonl`, `.csv`, `.tsv` or `.parquet`.
    ///
    /// The file is written beside its place and renamed, so it is there whole or not at all; a file
    /// that was there is replaced.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`], before anything is written, and [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let format = Format::by_extension(path)?;
        let beside = beside(path);
        let written = File::create(&beside)
            .and_then(|file| self.write_format(format, &file).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, path));
        written.map_err(|source| {
            let _ = std::fs::remove_file(&beside); // the first error is the one to tell
            DataError::Io { path: path.to_path_buf(), source }
        })
    }

    /// Writes a JSON object for each row; a number that is not finite is null.
    ///
    /// # Errors
    ///
    /// What `out` says.
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
        let columns = self.columns.iter().map(|(name, column)| (name, column.array()));
        let batch = RecordBatch::try_from_iter(columns).map_err(io::Error::other)?;
        let mut out = ArrowWriter::try_new(file, batch.schema(), None)?;
        out.write(&batch)?;
        out.close()?;
        Ok(())
    }
}

impl Column {
    fn len(&self) -> usize {
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

    fn cell(&self, row: usize) -> io::Result<Vec<u8>> {
        if let Self::Text(values) = self {
            return Ok(values[row].clone().into_bytes());
        }
        let mut cell = Vec::new();
        self.write_json(row, &mut cell)?;
        Ok(cell)
    }

    fn array(&self) -> ArrayRef {
        match self {
            Self::Text(values) => Arc::new(StringArray::from_iter_values(values)),
            Self::Number(values) => Arc::new(Float32Array::from(values.clone())),
            Self::Numbers(values) => {
                let mut lists = ListBuilder::new(Float32Builder::new());
                for list in values {
                    lists.values().append_slice(list);
                    lists.append(true);
                }
                Arc::new(lists.finish())
            }
        }
    }
}

/// A name in the same directory, so that the rename stays on one file system.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
