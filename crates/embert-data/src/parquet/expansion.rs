//! How much memory the rows of a parquet file may take: a bomb is refused before it goes off.

use std::fs::File;
use std::path::Path;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::RecordBatch;

use super::pages;
use crate::error::DataError;
use crate::labels::RawRow;

/// What the rows of a file may take: a compressed file, or one that states a text once for many rows, is small whatever it
/// expands to.
pub(super) struct Room {
    pub(super) limit: u64,
    taken: u64,
}

/// The most bytes of rows, or of a page, for each byte of the file.
const MOST_EXPANSION: u64 = 1000;
/// A page may have so many bytes however well it is compressed; writers end one at 1 MiB.
const FREE_FOR_A_PAGE: u64 = 16 << 20;
/// All rows together may take so many bytes however small the file is.
const FREE_FOR_ROWS: u64 = 64 << 20;
/// What a row takes beside its text.
const ROW: u64 = size_of::<RawRow>() as u64;

impl Room {
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let size = std::fs::metadata(path).map_err(DataError::io(path))?.len();
        Ok(Self { limit: size.saturating_mul(MOST_EXPANSION).saturating_add(FREE_FOR_ROWS), taken: 0 })
    }

    pub(super) fn take(&mut self, path: &Path, batch: &RecordBatch) -> Result<(), DataError> {
        self.taken += batch.num_rows() as u64 * ROW + batch.get_array_memory_size() as u64;
        match self.taken > self.limit {
            true => Err(DataError::Expands { path: path.to_path_buf(), limit: self.limit }),
            false => Ok(()),
        }
    }
}

/// A reader of a file, before it reads rows.
pub(super) type Builder = ParquetRecordBatchReaderBuilder<File>;

/// The bytes of the largest page of these columns once it is decoded, as the headers say. A page far larger than its file
/// is refused.
pub(super) fn largest_page(path: &Path, builder: &Builder, columns: &[usize]) -> Result<u64, DataError> {
    let size = std::fs::metadata(path).map_err(DataError::io(path))?.len();
    let mut largest = 0;
    for group in builder.metadata().row_groups() {
        let leaves = group.columns().iter().enumerate();
        let roots = leaves.map(|(leaf, column)| (builder.parquet_schema().get_column_root_idx(leaf), column));
        for (_, column) in roots.filter(|(root, _)| columns.contains(root)) {
            let (begin, length) = column.byte_range();
            let pages =
                File::open(path).and_then(|file| pages::sizes(file, begin, begin.saturating_add(length)));
            for page in pages.map_err(|error| corrupt(path, &error))? {
                let limit = FREE_FOR_A_PAGE.max(page.compressed.min(size).saturating_mul(MOST_EXPANSION));
                if page.uncompressed > limit {
                    return Err(DataError::Expands { path: path.to_path_buf(), limit });
                }
                largest = largest.max(page.uncompressed);
            }
        }
    }
    Ok(largest)
}

/// So many rows that, were each as long as the largest page, they would still fit into memory: a text that a file states
/// once may stand in every row.
pub(super) fn rows_at_once(largest_page: u64) -> usize {
    const MOST_BYTES: u64 = 64 << 20;
    (MOST_BYTES / largest_page.max(1)).clamp(1, 1024) as usize
}

/// The error for a file that the decoder cannot read.
pub(super) fn corrupt(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() }
}
