//! Rows that were dropped because they have more or fewer cells than the header, as in the original files of QQP.

use std::path::Path;

use crate::error::DataError;
use crate::note::DataNote;

/// The number of dropped rows.
#[derive(Default)]
pub(super) struct UnevenRows {
    dropped: usize,
    /// The number of cells of the first one.
    cells: usize,
}

impl UnevenRows {
    pub(super) fn add(&mut self, cells: usize) {
        if self.dropped == 0 {
            self.cells = cells;
        }
        self.dropped += 1;
    }

    /// Returns a note if some of `rows` rows were dropped.
    pub(super) fn note(&self, path: &Path, rows: usize, cells: usize) -> Option<DataNote> {
        let (path, dropped) = (path.to_path_buf(), self.dropped);
        (dropped > 0).then_some(DataNote::UnevenDropped { path, dropped, rows, cells })
    }

    /// Returns an error if all of `rows` rows were dropped: then the header is wrong, not the rows.
    pub(super) fn require_even(&self, path: &Path, rows: usize, names: usize) -> Result<(), DataError> {
        match self.dropped {
            1.. if self.dropped == rows => {
                Err(DataError::ColumnNameCount { path: path.to_path_buf(), names, row: 1, cells: self.cells })
            }
            _ => Ok(()),
        }
    }
}
