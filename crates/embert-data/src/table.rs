//! A table: the columns of an input file, the results for each row, and the files they are written to.

#[cfg(feature = "parquet")]
mod arrow_cell;
#[cfg(feature = "parquet")]
mod chunks;
mod column;
mod destination;
mod json_column;
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

/// Named columns of equal length, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Values)>,
    /// The file that the table was read from.
    path: PathBuf,
    /// The line of each row, if it is not the number of the row.
    lines: Vec<usize>,
}

/// Reads all columns of a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, in order.
///
/// Cells of csv are text. Values of jsonl and parquet keep their types; a key that a row of jsonl lacks is null.
///
/// # Errors
///
/// Any [`DataError`] about files; the first offending row is named.
pub fn read_table(path: &Path, csv_quoting: CsvQuoting) -> Result<(Table, Vec<DataNote>), DataError> {
    let (columns, lines, notes) = read::columns(path, csv_quoting)?;
    let table = Table { columns, path: path.to_path_buf(), lines };
    match table.rows() {
        0 => Err(DataError::Empty { path: path.to_path_buf() }),
        _ => Ok((table, notes)),
    }
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
        self.columns.push((name.to_owned(), Values::Column(column)));
        self
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The names of the columns, in order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Renames columns so that none has one of these names and no two have the same: `label` becomes `input_label`, and a
    /// name that is taken gets a number, as in `input_label_2`.
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

    /// The texts of a column, and what is noticed about them.
    ///
    /// # Errors
    ///
    /// Any [`DataError`] about a missing column or a value that is not text; the row is named.
    pub fn texts(&self, column: &str) -> Result<(Vec<String>, Vec<DataNote>), DataError> {
        let mut found = self.columns.iter().filter(|(name, _)| name.trim() == column);
        let path = self.path.to_path_buf();
        let values = match (found.next(), found.next()) {
            (Some((_, values)), None) => values,
            (Some(_), Some(_)) => return Err(DataError::ColumnTwice { path, column: column.to_owned() }),
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
        let notes = DataNote::of_blank_texts(&path, texts.iter().zip((0..texts.len()).map(row)));
        Ok((texts, notes.into_iter().collect()))
    }

    /// Checks that [`Table::write`] can write `path`, by creating and removing a file in its directory.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownExtension`], and [`DataError::Io`] for a directory or a file that cannot be written.
    pub fn require_writable(path: &Path) -> Result<(), DataError> {
        destination::require_writable(path)
    }
}
