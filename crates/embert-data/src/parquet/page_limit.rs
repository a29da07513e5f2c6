//! Limits the size of the pages of a parquet file, against decompression bombs.

use std::fs::File;
use std::path::Path;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::page_headers;
use crate::error::DataError;
use crate::memory_limit::MAX_EXPANSION;

/// Bytes that a page may always have. Writers usually end a page at 1 MiB.
const FREE_PAGE_BYTES: u64 = 16 << 20;

/// Builds a reader of a file.
pub(super) type Builder = ParquetRecordBatchReaderBuilder<File>;

/// Returns the uncompressed bytes of the largest page of these columns, from the page headers.
///
/// # Errors
///
/// [`DataError::DecompressionBomb`] for a page far larger than its compressed bytes.
pub(super) fn largest_page(path: &Path, builder: &Builder, columns: &[usize]) -> Result<u64, DataError> {
    let size = std::fs::metadata(path).map_err(DataError::io(path))?.len();
    let mut largest = 0;
    for group in builder.metadata().row_groups() {
        let leaves = group.columns().iter().enumerate();
        let roots = leaves.map(|(leaf, column)| (builder.parquet_schema().get_column_root_idx(leaf), column));
        for (_, column) in roots.filter(|(root, _)| columns.contains(root)) {
            let (begin, length) = column.byte_range();
            let pages = File::open(path)
                .and_then(|file| page_headers::page_sizes(file, begin, begin.saturating_add(length)));
            for page in pages.map_err(|error| corrupt(path, &error))? {
                let limit = FREE_PAGE_BYTES.max(page.compressed.min(size).saturating_mul(MAX_EXPANSION));
                if page.uncompressed > limit {
                    return Err(DataError::DecompressionBomb { path: path.to_path_buf(), limit });
                }
                largest = largest.max(page.uncompressed);
            }
        }
    }
    Ok(largest)
}

/// Returns the number of rows of a batch that fits into memory even if each row is as large as the largest page.
///
/// A dictionary stores a text once, but every row may use it.
pub(crate) fn rows_per_batch(largest_page: u64) -> usize {
    const MAX_BYTES: u64 = 64 << 20;
    (MAX_BYTES / largest_page.max(1)).clamp(1, 1024) as usize
}

/// Returns the error for a file that the decoder cannot read.
pub(crate) fn corrupt(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() }
}
