//! Texts and raw labels of arrow arrays. Each array is freed after its rows are read.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, GenericListArray, OffsetSizeTrait};
use arrow_schema::DataType;

use super::column::Cell;
use crate::error::DataError;
use crate::label_encoding::{RawLabel, RawTarget};
use crate::memory_limit::MemoryLimit;
use crate::table::ChunkedArray;

const LABEL_TYPES: &str = "integers, text or booleans";

/// Returns the texts; `None` for null. `first` is the first cell of the column.
///
/// Their bytes are limited, because a dictionary stores a text once for many rows.
pub(super) fn texts(chunks: ChunkedArray, first: Cell<'_>) -> Result<Vec<Option<String>>, DataError> {
    let path = first.table.path();
    let mut memory = MemoryLimit::of(path).unwrap_or_else(|_| MemoryLimit::of_stream());
    let mut texts = Vec::new();
    for chunk in chunks.arrays {
        if !is_text(chunk.data_type()) {
            return Err(first.column_type(chunk.data_type().to_string(), "text"));
        }
        let before = texts.len();
        texts.extend(strings(&chunk, Cell { index: before, ..first })?);
        memory.add(path, texts[before..].iter().flatten().map(|text: &String| text.len() as u64).sum())?;
    }
    Ok(texts)
}

/// Returns the labels or lists of labels. `first` is the first cell of the column.
pub(super) fn targets(chunks: ChunkedArray, first: Cell<'_>) -> Result<Vec<RawTarget>, DataError> {
    let path = first.table.path();
    let mut memory = MemoryLimit::of(path).unwrap_or_else(|_| MemoryLimit::of_stream());
    let mut targets = Vec::new();
    for chunk in chunks.arrays {
        let cell = Cell { index: targets.len(), ..first };
        memory.add(path, bytes_of_lists(&chunk))?;
        match chunk.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                targets.extend(lists(&chunk, cell)?);
            }
            _ => targets.extend(labels(&chunk, cell)?.into_iter().map(RawTarget::Value)),
        }
    }
    Ok(targets)
}

/// Returns the maximum number of bytes of the raw labels of lists: a dictionary stores a text once for many values.
fn bytes_of_lists(chunk: &ArrayRef) -> u64 {
    let (values, count) = match chunk.data_type() {
        DataType::List(_) => (chunk.as_list::<i32>().values(), num_values(chunk.as_list::<i32>())),
        DataType::LargeList(_) => (chunk.as_list::<i64>().values(), num_values(chunk.as_list::<i64>())),
        DataType::FixedSizeList(..) => {
            let values = chunk.as_fixed_size_list().values();
            (values, values.len())
        }
        _ => return 0,
    };
    let dictionary = values.as_any_dictionary_opt();
    let longest = dictionary.map_or(0, |dictionary| longest(dictionary.values()));
    (count as u64).saturating_mul((size_of::<RawLabel>() + longest) as u64)
}

/// Returns the number of values in lists, which can be a part of an array.
fn num_values<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> usize {
    let offsets = lists.value_offsets();
    offsets.last().zip(offsets.first()).map_or(0, |(end, begin)| (*end - *begin).as_usize())
}

/// Returns the bytes of the longest text; 0 for other values.
fn longest(values: &ArrayRef) -> usize {
    if let DataType::FixedSizeBinary(size) = values.data_type() {
        return usize::try_from(*size).unwrap_or(0);
    }
    let texts = arrow_cast::cast(values, &DataType::LargeUtf8).ok().filter(|_| is_text(values.data_type()));
    let texts = texts.as_ref().map(|texts| texts.as_string::<i64>());
    texts.into_iter().flatten().flatten().map(str::len).max().unwrap_or(0)
}

fn lists(chunk: &ArrayRef, first: Cell<'_>) -> Result<Vec<RawTarget>, DataError> {
    let list = |index: usize| {
        let cell = Cell { index: first.index + index, ..first };
        if chunk.is_null(index) {
            return Ok(RawTarget::Value(RawLabel::Missing));
        }
        let values = match chunk.data_type() {
            DataType::List(_) => chunk.as_list::<i32>().value(index),
            DataType::LargeList(_) => chunk.as_list::<i64>().value(index),
            _ => chunk.as_fixed_size_list().value(index),
        };
        let labels = labels(&values, cell)?;
        match labels.contains(&RawLabel::Missing) {
            true => Err(cell.wrong_type(&serde_json::Value::Null, LABEL_TYPES)),
            false => Ok(RawTarget::List(labels)),
        }
    };
    (0..chunk.len()).map(list).collect()
}

/// Returns the label of each value of an array. `first` is the cell of the first one.
fn labels(values: &ArrayRef, first: Cell<'_>) -> Result<Vec<RawLabel>, DataError> {
    let labels = |values: &ArrayRef, label: &dyn Fn(usize) -> RawLabel| {
        let row = |row| if values.is_null(row) { RawLabel::Missing } else { label(row) };
        Ok((0..values.len()).map(row).collect())
    };
    match values.data_type() {
        DataType::Null => Ok(vec![RawLabel::Missing; values.len()]),
        DataType::Boolean => labels(values, &|row| RawLabel::Boolean(values.as_boolean().value(row))),
        DataType::UInt64 => {
            labels(values, &|row| RawLabel::Integer(values.as_primitive::<UInt64Type>().value(row).into()))
        }
        integers if integers.is_integer() => {
            let integers = cast(values, &DataType::Int64, first)?;
            labels(values, &|row| RawLabel::Integer(integers.as_primitive::<Int64Type>().value(row).into()))
        }
        numbers if numbers.is_numeric() => {
            let floats = cast(values, &DataType::Float64, first)?;
            labels(values, &|row| RawLabel::from_float(floats.as_primitive::<Float64Type>().value(row)))
        }
        text if is_text(text) => {
            let texts = strings(values, first)?.into_iter();
            Ok(texts.map(|text| text.map_or(RawLabel::Missing, RawLabel::Text)).collect())
        }
        DataType::Dictionary(_, plain) => labels_of_dictionary(values, plain, first),
        other => Err(first.column_type(other.to_string(), LABEL_TYPES)),
    }
}

fn labels_of_dictionary(
    values: &ArrayRef,
    plain: &DataType,
    first: Cell<'_>,
) -> Result<Vec<RawLabel>, DataError> {
    labels(&cast(values, plain, first)?, first)
}

/// Returns the texts of an array of text, of UTF-8 as bytes, or of a dictionary of them.
fn strings(values: &ArrayRef, first: Cell<'_>) -> Result<Vec<Option<String>>, DataError> {
    let cast = cast(&with_lengths(values, first)?, &DataType::LargeUtf8, first)?;
    let strings = cast.as_string::<i64>();
    let string = |index| match (values.is_null(index), strings.is_null(index)) {
        (true, _) => Ok(None),
        (false, true) => Err(Cell { index: first.index + index, ..first }.not_utf8()),
        (false, false) => Ok(Some(strings.value(index).to_owned())),
    };
    (0..values.len()).map(string).collect()
}

/// Casts binary values of a fixed size, such as UUIDs: arrow casts only binary values with lengths to text.
fn with_lengths(values: &ArrayRef, cell: Cell<'_>) -> Result<ArrayRef, DataError> {
    let plain = match values.data_type() {
        DataType::Dictionary(_, plain) => plain.as_ref(),
        plain => plain,
    };
    match plain {
        DataType::FixedSizeBinary(_) => cast(values, &DataType::LargeBinary, cell),
        _ => Ok(values.clone()),
    }
}

fn cast(values: &ArrayRef, to: &DataType, cell: Cell<'_>) -> Result<ArrayRef, DataError> {
    arrow_cast::cast(values, to).map_err(|error| DataError::Corrupt {
        path: cell.table.path().to_path_buf(),
        reason: error.to_string(),
    })
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        _ => data_type.is_string() || data_type.is_binary(),
    }
}
