//! The keys of the rows of a JSON file, in the order of their first rows, and the types of their values.

use std::collections::HashMap;
use std::path::Path;

use crate::error::DataError;
use crate::json_type::{JsonType, PossibleTypes};

/// The keys of all rows of one or more files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    names: Vec<String>,
    types: Vec<PossibleTypes>,
    by_name: HashMap<String, usize>,
    rows: usize,
    bytes: usize,
}

impl Keys {
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn json_type(&self, index: usize) -> JsonType {
        self.types[index].first()
    }

    /// Returns the index of a key, which is added if it is new.
    pub(super) fn index(&mut self, name: String) -> usize {
        *self.by_name.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            self.types.push(PossibleTypes::new());
            self.names.len() - 1
        })
    }

    /// Adds the JSON text of a value.
    pub(super) fn add_value(&mut self, index: usize, value: &str) {
        self.types[index].add(value);
    }

    /// Counts a row; an error if the rows have too many different keys for a table.
    ///
    /// A sparse table needs rows · columns cells, which can be far more than the bytes of the file.
    pub(super) fn add_row(&mut self, path: &Path, row: usize, bytes: usize) -> Result<(), DataError> {
        const FREE_CELLS: usize = 1 << 16;
        self.rows += 1;
        self.bytes += bytes;
        if self.names.len().saturating_mul(self.rows) > 4 * self.bytes + FREE_CELLS {
            let reason = format!("too many different keys for a table: {}", self.names.len());
            return Err(DataError::MalformedRow { path: path.to_path_buf(), row, reason });
        }
        Ok(())
    }
}
