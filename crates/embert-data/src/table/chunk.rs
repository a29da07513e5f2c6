//! Some consecutive rows of a file, as the readers of all formats return them.

#[cfg(feature = "parquet")]
use arrow_array::RecordBatch;

#[cfg(feature = "parquet")]
use super::chunked_array::ChunkedArray;
use super::column::Values;

/// Consecutive rows of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) columns: Vec<(String, Values)>,
    /// The number of each row for messages, from 1.
    pub(crate) rows: Vec<usize>,
}

impl Chunk {
    /// Returns a chunk whose rows follow `first` other rows.
    pub(crate) fn numbered(columns: Vec<(String, Values)>, first: usize) -> Self {
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        Self { columns, rows: (first + 1..=first + rows).collect() }
    }
}

/// Maximum size of a chunk. A chunk has at least one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkSize {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

impl Default for ChunkSize {
    fn default() -> Self {
        Self { rows: 4096, bytes: 4 << 20 }
    }
}

impl ChunkSize {
    /// Returns true if a chunk with these rows and bytes may get another row.
    pub(crate) fn has_room(self, rows: usize, bytes: usize) -> bool {
        rows < self.rows && bytes < self.bytes
    }
}

/// Returns the columns of consecutive batches of one schema.
#[cfg(feature = "parquet")]
pub(crate) fn arrow_columns(names: &[String], batches: &[RecordBatch]) -> Vec<(String, Values)> {
    let column = |(index, name): (usize, &String)| {
        let arrays = batches.iter().map(|batch| batch.column(index).clone()).collect();
        (name.clone(), Values::Arrow(ChunkedArray::new(arrays)))
    };
    names.iter().enumerate().map(column).collect()
}
