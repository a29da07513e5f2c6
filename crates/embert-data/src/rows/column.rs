//! A column that was taken out of a table, with the errors of its values.

use serde_json::Value;

use crate::describe_json::describe;
use crate::error::DataError;
use crate::table::{Table, Values};

/// The name and the values of a column.
pub(super) struct ColumnValues {
    pub(super) column: String,
    pub(super) values: Values,
}

/// The place of a value, for messages.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) table: &'a Table,
    pub(super) column: &'a str,
    /// Index of the row, from 0.
    pub(super) index: usize,
}

impl Cell<'_> {
    pub(super) fn null(self) -> DataError {
        DataError::null(self.table.path(), self.table.row_number(self.index), self.column)
    }

    #[cfg(feature = "parquet")]
    pub(super) fn not_utf8(self) -> DataError {
        DataError::not_utf8(self.table.path(), self.table.row_number(self.index), self.column)
    }

    pub(super) fn wrong_type(self, value: &Value, expected: &'static str) -> DataError {
        let row = self.table.row_number(self.index);
        let (path, column, found) =
            (self.table.path().to_path_buf(), self.column.to_owned(), describe(value));
        DataError::ValueType { path, row, column, found, expected }
    }

    /// Parses a JSON value. A missing key is null.
    pub(super) fn parse(self, json: Option<&str>) -> Result<Value, DataError> {
        serde_json::from_str(json.unwrap_or("null")).map_err(|error| DataError::MalformedRow {
            path: self.table.path().to_path_buf(),
            row: self.table.row_number(self.index),
            reason: format!("not JSON: {error}"),
        })
    }

    /// Returns the error for a column of another type.
    pub(super) fn column_type(self, found: String, expected: &'static str) -> DataError {
        let (path, column) = (self.table.path().to_path_buf(), self.column.to_owned());
        DataError::ColumnType { path, column, found, expected }
    }
}
