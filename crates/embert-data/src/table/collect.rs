//! Collects all rows of a path in one table.

use std::path::Path;

use super::Table;
use super::column::{Column, Values};
use super::reader::TableReader;
use crate::columns::ColumnRole;
use crate::data_files::{self, Found};
use crate::error::DataError;
use crate::memory_limit::MemoryLimit;
use crate::note::DataNote;
use crate::options::ReadOptions;

/// Reads all columns of a path. With `wanted`, reads only these columns; an error if one does not exist.
pub(crate) fn read_columns(
    path: &Path,
    options: &ReadOptions,
    wanted: Option<&[(&str, ColumnRole)]>,
) -> Result<(Table, Vec<DataNote>), DataError> {
    let Found { files, note } = data_files::all_files(path)?;
    let mut tables = TableReader::of_files(files, options, wanted)?;
    let mut all = Table { path: path.to_path_buf(), ..Table::default() };
    let mut memory = Vec::<(std::path::PathBuf, MemoryLimit)>::new();
    for table in &mut tables {
        let table = table?;
        if memory.last().is_none_or(|(file, _)| *file != table.path) {
            memory.push((table.path.clone(), MemoryLimit::of(&table.path)?));
        }
        if let Some((file, limit)) = memory.last_mut() {
            limit.add(file, table.bytes())?;
        }
        all.append(table);
    }
    Ok((all, tables.take_notes().into_iter().chain(note).collect()))
}

impl Table {
    /// Returns the bytes of the values. Arrow values are counted by their readers.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |values: &Values| match values {
            Values::Column(Column::Text(cells)) => {
                cells.iter().map(|cell| (size_of::<String>() + cell.len()) as u64).sum()
            }
            Values::Json(values) => {
                let value = |json: &Option<Box<str>>| {
                    (size_of::<Box<str>>() + json.as_ref().map_or(0, |json| json.len())) as u64
                };
                values.iter().map(value).sum()
            }
            _ => 0,
        };
        self.columns.iter().map(|(_, values)| bytes(values)).sum()
    }

    /// Adds the rows of a table with the same columns.
    fn append(&mut self, table: Self) {
        if self.columns.is_empty() {
            let path = std::mem::take(&mut self.path);
            *self = Self { path, ..table };
            return;
        }
        self.lines.extend(table.lines);
        for ((_, values), (_, more)) in self.columns.iter_mut().zip(table.columns) {
            values.append(more);
        }
    }
}
