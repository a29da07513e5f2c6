//! Tables: all columns of an input file, with columns of results added, written to a file.

#[cfg(feature = "parquet")]
mod arrow_batches;
#[cfg(feature = "parquet")]
mod arrow_cell;
mod atomic_file;
mod chunk;
#[cfg(feature = "parquet")]
mod chunked_array;
mod collect;
mod column;
mod json_column;
mod reader;
mod source;
mod writer;

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::find_column::find_column;
use crate::note::DataNote;
use crate::options::ReadOptions;
#[cfg(feature = "parquet")]
pub(crate) use chunk::arrow_columns;
pub(crate) use chunk::{Chunk, ChunkSize};
#[cfg(feature = "parquet")]
pub(crate) use chunked_array::ChunkedArray;
pub(crate) use collect::read_columns;
pub use column::Column;
pub(crate) use column::Values;
pub(crate) use json_column::JsonValues;
pub use reader::TableReader;
pub use writer::TableWriter;

/// Named columns of equal length, in the order of the output file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Values)>,
    /// The file of the table, for messages.
    path: PathBuf,
    /// The line of each row; empty if lines are rows.
    lines: Vec<usize>,
    /// The label names that the file stores, by column.
    label_names: LabelNames,
}

/// The label names of columns.
pub(crate) type LabelNames = Vec<(String, Vec<String>)>;

/// Reads all columns of a file, of all files of a directory, or of the files that match a pattern, in order.
///
/// Use [`TableReader`] for a file that is larger than the memory. Cells of csv and tsv are text. Values of JSON, parquet
/// and arrow keep their types. A missing key of JSON is null.
///
/// # Errors
///
/// A [`DataError`] that names the file and the first invalid row.
pub fn read_table(path: &Path, options: &ReadOptions) -> Result<(Table, Vec<DataNote>), DataError> {
    let (table, notes) = read_columns(path, options, None)?;
    if table.rows() == 0 {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    Ok((table, notes))
}

impl Table {
    /// Adds a column at the end.
    ///
    /// # Panics
    ///
    /// Panics if the length of the column differs from the number of rows.
    pub fn with_column(mut self, name: &str, column: Column) -> Self {
        let rows = self.columns.first().map_or(column.len(), |(_, first)| first.len());
        assert_eq!(column.len(), rows, "column {name:?} must have as many rows as the table");
        self.columns.push((name.to_owned(), Values::Column(column)));
        self
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Returns the names of the columns, in order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Renames columns so that these names are free and all names are unique.
    ///
    /// `label` becomes `input_label`. If that name exists, a number is added: `input_label_2`.
    pub fn with_reserved_names(mut self, reserved: &[&str]) -> Self {
        let mut taken: HashSet<String> = reserved.iter().map(|name| (*name).to_owned()).collect();
        let free = |name: &str| !reserved.contains(&name.trim());
        taken.extend(self.column_names().filter(|name| free(name)).map(str::to_owned));
        let mut kept = HashSet::new();
        for (name, _) in &mut self.columns {
            if free(name) && kept.insert(name.clone()) {
                continue;
            }
            let base = if free(name) { name.clone() } else { format!("input_{}", name.trim()) };
            let mut candidates = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}_{n}")));
            *name = candidates.find(|name| !taken.contains(name)).unwrap_or(base);
            taken.insert(name.clone());
        }
        self
    }

    /// Returns a table of these columns only, once each. Values of arrow are shared, not copied.
    pub(crate) fn select(&self, wanted: &[(&str, ColumnRole)]) -> Result<Self, DataError> {
        let columns = wanted.iter().map(|(column, role)| {
            let index = find_column(&self.path, self.column_names(), column, *role)?;
            Ok(self.columns[index].clone())
        });
        let mut columns = columns.collect::<Result<Vec<_>, DataError>>()?;
        columns.sort_by(|(a, _), (b, _)| a.cmp(b));
        columns.dedup_by(|(a, _), (b, _)| a == b);
        Ok(Self { columns, path: self.path.clone(), lines: self.lines.clone(), label_names: vec![] })
    }

    /// Returns the values of the columns, in order.
    pub(crate) fn into_values(self) -> Vec<Values> {
        self.columns.into_iter().map(|(_, values)| values).collect()
    }

    /// Returns the file of the table.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of a row for messages, from 1.
    pub(crate) fn row_number(&self, index: usize) -> usize {
        self.lines.get(index).copied().unwrap_or(index + 1)
    }

    /// Returns the label names that the file stores for a column.
    pub(crate) fn label_names(&self, column: &str) -> Option<&[String]> {
        let found = self.label_names.iter().find(|(name, _)| name.trim() == column.trim());
        found.map(|(_, names)| names.as_slice())
    }

    /// Removes the values of a column, so that they are in memory once.
    pub(crate) fn take(&mut self, column: &str, role: ColumnRole) -> Result<Values, DataError> {
        let index = find_column(&self.path, self.column_names(), column, role)?;
        Ok(std::mem::replace(&mut self.columns[index].1, Values::Json(JsonValues::default())))
    }

    /// Returns a copy of the values of a column. Values of arrow are shared, not copied.
    pub(crate) fn values(&self, column: &str, role: ColumnRole) -> Result<Values, DataError> {
        let index = find_column(&self.path, self.column_names(), column, role)?;
        Ok(self.columns[index].1.clone())
    }

    /// Writes the table in the format of the extension, as [`TableWriter`] does.
    ///
    /// Writes a temporary file and renames it, so the file at `path` is always complete. Replaces an existing file and
    /// keeps its permissions. Replaces the target of a symbolic link, not the link.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`] before anything is written; [`DataError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let mut writer = TableWriter::create(path)?;
        writer.write(self)?;
        writer.finish()
    }

    /// Writes one JSON object per row. NaN and infinity become null.
    ///
    /// # Errors
    ///
    /// An error of `out`.
    pub fn write_jsonl(&self, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        writer::write_jsonl(self, &mut out)?;
        out.flush()
    }

    /// Checks that [`Table::write`] can write `path`. Creates a file in the directory and removes it.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`]; [`DataError::Io`] if the file or its directory is not writable.
    pub fn require_writable(path: &Path) -> Result<(), DataError> {
        atomic_file::require_writable(path)
    }
}
