//! Limits the size of the pages of a parquet file, against decompression bombs.

use std::fs::File;
use std::path::Path;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::Type;
use ::parquet::column::page::Page;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::page_headers;
use crate::error::DataError;
use crate::memory_limit::{MAX_EXPANSION, MemoryLimit};

/// Bytes that a page may always have. Writers usually end a page at 1 MiB.
const FREE_PAGE_BYTES: u64 = 16 << 20;

/// Bytes of a value of a list in memory, without its text: the value, its levels, and a raw label.
const LIST_VALUE_BYTES: u64 = 48;

/// Builds a reader of a file.
pub(super) type Builder = ParquetRecordBatchReaderBuilder<File>;

/// Returns the uncompressed bytes of the largest page of these columns, from the page headers.
///
/// # Errors
///
/// [`DataError::DecompressionBomb`] for a page far larger than its compressed bytes, and for lists that need far more
/// memory than the file.
pub(super) fn largest_page(path: &Path, builder: &Builder, columns: &[usize]) -> Result<u64, DataError> {
    let size = std::fs::metadata(path).map_err(DataError::io(path))?.len();
    let mut largest = 0;
    let mut lists = MemoryLimit::of(path)?;
    for (index, group) in builder.metadata().row_groups().iter().enumerate() {
        let leaves = group.columns().iter().enumerate();
        let roots =
            leaves.map(|(leaf, column)| (builder.parquet_schema().get_column_root_idx(leaf), leaf, column));
        for (_, leaf, column) in roots.filter(|(root, ..)| columns.contains(root)) {
            let (begin, length) = column.byte_range();
            let pages = File::open(path)
                .and_then(|file| page_headers::page_sizes(file, begin, begin.saturating_add(length)));
            let mut values = 0;
            for page in pages.map_err(|error| corrupt(path, &error))? {
                let limit = FREE_PAGE_BYTES.max(page.compressed.min(size).saturating_mul(MAX_EXPANSION));
                if page.uncompressed > limit {
                    return Err(DataError::DecompressionBomb { path: path.to_path_buf(), limit });
                }
                largest = largest.max(page.uncompressed);
                values += page.values;
            }
            if column.column_descr().max_rep_level() > 0 {
                let bytes = LIST_VALUE_BYTES + longest_in_dictionary(path, index, leaf)?;
                lists.add(path, values.saturating_mul(bytes))?;
            }
        }
    }
    Ok(largest)
}

/// Returns the bytes of the longest text in the dictionary of a column; 0 without a dictionary of texts.
///
/// One row can have a long list, so the number of rows of a batch does not limit its memory.
fn longest_in_dictionary(path: &Path, row_group: usize, leaf: usize) -> Result<u64, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let first_page = || {
        let group = SerializedFileReader::new(file)?;
        let group = group.get_row_group(row_group)?;
        if group.metadata().column(leaf).column_type() != Type::BYTE_ARRAY {
            return Ok(None);
        }
        group.get_column_page_reader(leaf)?.get_next_page()
    };
    match first_page().map_err(|error: ParquetError| corrupt(path, &error))? {
        Some(Page::DictionaryPage { buf, .. }) => Ok(longest(&buf)),
        _ => Ok(0),
    }
}

/// Returns the longest length in a page of texts: each has its length in 4 bytes before it.
fn longest(mut page: &[u8]) -> u64 {
    let mut longest = 0;
    while let Some((length, rest)) = page.split_first_chunk() {
        let length = u32::from_le_bytes(*length);
        longest = longest.max(length);
        page = rest.get(length as usize..).unwrap_or_default();
    }
    longest.into()
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
