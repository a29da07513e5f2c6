//! The memory of values in arrow arrays. Arrays of one message share a buffer, so the buffers cannot be added.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use crate::memory_limit::ROW_BYTES;

/// Returns the bytes of the rows of a batch.
pub(super) fn total(batch: &RecordBatch) -> u64 {
    let rows = (batch.num_rows() as u64).saturating_mul(ROW_BYTES);
    let sizes = batch.columns().iter().map(|array| array.to_data().get_slice_memory_size());
    sizes.fold(rows, |sum, size| sum.saturating_add(size.map_or(u64::MAX, |size| size as u64)))
}

/// Returns the bytes of the largest text of an array; 0 for other types.
pub(super) fn largest(array: &ArrayRef) -> u64 {
    match array.data_type() {
        DataType::Utf8 => largest_of(array.as_string::<i32>().offsets().lengths()),
        DataType::LargeUtf8 => largest_of(array.as_string::<i64>().offsets().lengths()),
        DataType::Binary => largest_of(array.as_binary::<i32>().offsets().lengths()),
        DataType::LargeBinary => largest_of(array.as_binary::<i64>().offsets().lengths()),
        DataType::Utf8View => largest_of(array.as_string_view().lengths().map(|length| length as usize)),
        DataType::BinaryView => largest_of(array.as_binary_view().lengths().map(|length| length as usize)),
        DataType::Dictionary(..) => largest(array.as_any_dictionary().values()),
        _ => 0,
    }
}

fn largest_of(lengths: impl Iterator<Item = usize>) -> u64 {
    lengths.max().unwrap_or(0) as u64
}
