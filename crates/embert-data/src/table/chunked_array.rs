//! A column of consecutive arrow arrays, like `ChunkedArray` of pyarrow.

use std::io::{self, Write};

use arrow_array::ArrayRef;

use super::arrow_cell;

/// Consecutive arrays of one type.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ChunkedArray {
    pub(crate) arrays: Vec<ArrayRef>,
    /// The number of rows up to the end of each array.
    ends: Vec<usize>,
}

impl ChunkedArray {
    pub(super) fn new(arrays: Vec<ArrayRef>) -> Self {
        let ends = arrays.iter().scan(0, |end, array| {
            *end += array.len();
            Some(*end)
        });
        Self { ends: ends.collect(), arrays }
    }

    /// Returns the number of rows up to the end of each array.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        self.ends.iter().copied()
    }

    pub(super) fn append(&mut self, more: Self) {
        self.arrays.extend(more.arrays);
        *self = Self::new(std::mem::take(&mut self.arrays));
    }

    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Returns the array with a row, and the index of the row in that array.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    pub(super) fn find(&self, row: usize) -> (&ArrayRef, usize) {
        let at = self.ends.partition_point(|&end| end <= row);
        let array = &self.arrays[at];
        (array, row - (self.ends[at] - array.len()))
    }

    pub(super) fn write_json(&self, row: usize, out: &mut dyn Write) -> io::Result<()> {
        let (array, row) = self.find(row);
        arrow_cell::write_json(array, row, out)
    }

    pub(super) fn cell(&self, row: usize) -> io::Result<Vec<u8>> {
        let (array, row) = self.find(row);
        arrow_cell::cell(array, row)
    }
}
