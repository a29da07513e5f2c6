//! Memory limits for the rows of a file, against decompression bombs: 64 MiB + 1,000 · bytes of the file.

use std::path::Path;

#[cfg(feature = "parquet")]
use arrow_array::RecordBatch;

use crate::error::DataError;

/// Counts the memory of the rows of a file, up to a limit.
///
/// A small file can have large rows: by compression, or by a dictionary that stores a text once for many rows.
#[derive(Debug, Clone)]
pub(crate) struct MemoryLimit {
    pub(crate) limit: u64,
    used: u64,
}

/// Maximum number of bytes of rows per byte of the file, or of a page per compressed byte.
pub(crate) const MAX_EXPANSION: u64 = 1000;
/// Bytes of a row without its text.
pub(crate) const ROW_BYTES: u64 = 80;
/// Bytes that the rows of a file may always have.
const FREE_ROW_BYTES: u64 = 64 << 20;

impl MemoryLimit {
    pub(crate) fn of(path: &Path) -> Result<Self, DataError> {
        let size = std::fs::metadata(path).map_err(DataError::io(path))?.len();
        Ok(Self { limit: size.saturating_mul(MAX_EXPANSION).saturating_add(FREE_ROW_BYTES), used: 0 })
    }

    /// Returns the limit of a stream, which grows with the bytes that are read.
    #[cfg(feature = "parquet")]
    pub(crate) fn of_stream() -> Self {
        Self { limit: FREE_ROW_BYTES, used: 0 }
    }

    /// Adds bytes that were read from a stream.
    #[cfg(feature = "parquet")]
    pub(crate) fn grow(&mut self, bytes: u64) {
        self.limit = self.limit.saturating_add(bytes.saturating_mul(MAX_EXPANSION));
    }

    /// Adds the memory of a batch; an error above the limit.
    #[cfg(feature = "parquet")]
    pub(crate) fn add_batch(&mut self, path: &Path, batch: &RecordBatch) -> Result<(), DataError> {
        let rows = (batch.num_rows() as u64).saturating_mul(ROW_BYTES);
        self.add(path, rows.saturating_add(batch.get_array_memory_size() as u64))
    }

    /// Adds the memory of rows; an error above the limit.
    pub(crate) fn add(&mut self, path: &Path, bytes: u64) -> Result<(), DataError> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limit {
            return Err(DataError::DecompressionBomb { path: path.to_path_buf(), limit: self.limit });
        }
        Ok(())
    }
}
