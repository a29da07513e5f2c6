//! A column of arrow arrays, each with the rows after those of the array before it.

use arrow_array::{Array, ArrayRef};

/// Arrays of one type.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chunks {
    pub(super) arrays: Vec<ArrayRef>,
    /// The number of rows up to the end of each array.
    ends: Vec<usize>,
}

impl Chunks {
    pub(super) fn new(arrays: Vec<ArrayRef>) -> Self {
        let ends = arrays.iter().scan(0, |end, array| {
            *end += array.len();
            Some(*end)
        });
        Self { ends: ends.collect(), arrays }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The array that holds a row, and the index of the row in it.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    pub(super) fn find(&self, row: usize) -> (&ArrayRef, usize) {
        let at = self.ends.partition_point(|&end| end <= row);
        let array = &self.arrays[at];
        (array, row - (self.ends[at] - array.len()))
    }
}
