//! Tables: all columns of an input file, with columns of results added, written to a file.

#[cfg(feature = "parquet")]
mod arrow_cell;
#[cfg(feature = "parquet")]
mod chunked_array;
mod column;
mod json_column;
mod output_file;
#[cfg(feature = "parquet")]
mod parquet;
mod read;
mod write;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::note::DataNote;
use crate::options::CsvQuoting;
pub use column::Column;
use column::Values;

/// Named columns of equal length, in the order of the output file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Values)>,
    /// The file of the table, for messages.
    path: PathBuf,
    /// The line of each row; empty if lines are rows.
    lines: Vec<usize>,
}

/// Reads all columns of a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, in order.
///
/// Cells of csv and tsv are text. Values of jsonl and parquet keep their types. A missing key of jsonl is null.
///
/// # Errors
///
/// A [`DataError`] that names the file and the first invalid row.
pub fn read_table(path: &Path, csv_quoting: CsvQuoting) -> Result<(Table, Vec<DataNote>), DataError> {
    let (columns, lines, notes) = read::columns(path, csv_quoting)?;
    let table = Table { columns, path: path.to_path_buf(), lines };
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
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
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

    /// Returns the texts of a column, and notes about them.
    ///
    /// # Errors
    ///
    /// A [`DataError`] if the column does not exist or a value is not text; it names the row.
    pub fn texts(&self, column: &str) -> Result<(Vec<String>, Vec<DataNote>), DataError> {
        let mut found = self.columns.iter().filter(|(name, _)| name.trim() == column);
        let path = self.path.to_path_buf();
        let values = match (found.next(), found.next()) {
            (Some((_, values)), None) => values,
            (Some(_), Some(_)) => return Err(DataError::DuplicateColumn { path, column: column.to_owned() }),
            (None, _) => {
                let names = self.column_names().map(str::trim).collect::<Vec<_>>();
                return Err(DataError::missing_column(
                    &path,
                    column,
                    ColumnRole::Text,
                    names.iter().copied(),
                ));
            }
        };
        let row = |index: usize| self.lines.get(index).copied().unwrap_or(index + 1);
        let texts = values.texts(&path, column, &row)?;
        let notes = DataNote::about_blank_texts(&path, texts.iter().zip((0..texts.len()).map(row)));
        Ok((texts, notes.into_iter().collect()))
    }

    /// Checks that [`Table::write`] can write `path`. Creates a file in the directory and removes it.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`]; [`DataError::Io`] if the file or its directory is not writable.
    pub fn require_writable(path: &Path) -> Result<(), DataError> {
        output_file::require_writable(path)
    }
}
