//! Writes a table to parquet. Each column gets the arrow type that stores its values exactly.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};

use super::Table;
use super::column::{Column, Values};
use super::json_column::{Json, text};

impl Table {
    pub(super) fn write_parquet(&self, file: &File) -> io::Result<()> {
        let types = self.columns.iter().map(|(_, values)| inferred_type(values)).collect::<Vec<_>>();
        let arrays = |rows: Range<usize>| {
            let columns = self.columns.iter().zip(&types);
            columns
                .map(|((_, values), data_type)| array(values, rows.clone(), data_type.as_ref()))
                .collect::<Vec<_>>()
        };
        let fields = |arrays: &[ArrayRef]| {
            let columns = self.columns.iter().zip(arrays);
            columns
                .map(|((name, _), array)| Field::new(name, array.data_type().clone(), true))
                .collect::<Vec<_>>()
        };
        let mut batches = self.batches().into_iter();
        let first = arrays(batches.next().unwrap_or(0..0));
        let schema = Arc::new(Schema::new(fields(&first)));
        let mut out = ArrowWriter::try_new(file, schema.clone(), None)?;
        let batch = |arrays| RecordBatch::try_new(schema.clone(), arrays).map_err(io::Error::other);
        out.write(&batch(first)?)?;
        for rows in batches {
            out.write(&batch(arrays(rows))?)?;
        }
        out.close()?;
        Ok(())
    }

    /// Returns ranges of rows, each within one chunk of each arrow column.
    fn batches(&self) -> Vec<Range<usize>> {
        const ROWS: usize = 1024;
        let chunks = self.columns.iter().find_map(|(_, values)| match values {
            Values::Arrow(chunks) => Some(chunks.arrays.iter().map(|chunk| chunk.len()).collect::<Vec<_>>()),
            Values::Column(_) | Values::Json(_) => None,
        });
        let lengths = chunks.unwrap_or_else(|| {
            (0..self.rows()).step_by(ROWS).map(|begin| ROWS.min(self.rows() - begin)).collect()
        });
        let begins = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end - length)
        });
        begins.zip(&lengths).map(|(begin, length)| begin..begin + length).collect()
    }
}

/// Returns an arrow array of these rows, which must be within one chunk.
fn array(values: &Values, rows: Range<usize>, data_type: Option<&DataType>) -> ArrayRef {
    match values {
        Values::Column(column) => result_array(column, rows),
        Values::Json(values) => json_array(&values[rows], data_type),
        Values::Arrow(chunks) => {
            let (length, (chunk, row)) = (rows.len(), chunks.find(rows.start));
            chunk.slice(row, length)
        }
    }
}

/// Returns the arrow type of JSON values; `None` for values that have a type already.
fn inferred_type(values: &Values) -> Option<DataType> {
    match values {
        Values::Json(values) => Some(json_type(values)),
        Values::Column(_) | Values::Arrow(_) => None,
    }
}

fn result_array(column: &Column, rows: Range<usize>) -> ArrayRef {
    match column {
        Column::Text(values) => Arc::new(StringArray::from_iter_values(&values[rows])),
        Column::Number(values) => Arc::new(Float32Array::from(values[rows].to_vec())),
        Column::Numbers(values) => {
            let mut lists = ListBuilder::new(Float32Builder::new());
            for list in &values[rows] {
                lists.values().append_slice(list);
                lists.append(true);
            }
            Arc::new(lists.finish())
        }
    }
}

/// Returns the type that stores all values exactly: text if no other type does.
fn json_type(values: &[Json]) -> DataType {
    let all = |is_of_type: fn(&str) -> bool| present(values).all(is_of_type);
    if present(values).next().is_none() {
        DataType::Utf8
    } else if all(|json| json.parse::<bool>().is_ok()) {
        DataType::Boolean
    } else if all(|json| json.parse::<i64>().is_ok()) {
        DataType::Int64
    } else if all(|json| json.parse::<u64>().is_ok()) {
        DataType::UInt64
    } else if all(is_exact_float) {
        DataType::Float64
    } else {
        DataType::Utf8
    }
}

/// Returns an array of the type from [`json_type`].
fn json_array(values: &[Json], data_type: Option<&DataType>) -> ArrayRef {
    match data_type {
        Some(DataType::Boolean) => Arc::new(BooleanArray::from(parsed(values))),
        Some(DataType::Int64) => Arc::new(Int64Array::from(parsed(values))),
        Some(DataType::UInt64) => Arc::new(UInt64Array::from(parsed(values))),
        Some(DataType::Float64) => Arc::new(Float64Array::from(parsed(values))),
        _ => {
            let value = |json: &str| text(json).unwrap_or_else(|| json.to_owned());
            Arc::new(values.iter().map(|json| not_null(json).map(value)).collect::<StringArray>())
        }
    }
}

fn present(values: &[Json]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(not_null)
}

fn not_null(json: &Json) -> Option<&str> {
    json.as_deref().filter(|json| *json != "null")
}

fn parsed<T: std::str::FromStr>(values: &[Json]) -> Vec<Option<T>> {
    values.iter().map(|json| not_null(json)?.parse().ok()).collect()
}

/// Returns true for numbers to store as 64-bit floats: with a fraction or an exponent, or integers up to 2^53.
fn is_exact_float(json: &str) -> bool {
    const MAX: u64 = 1 << 53;
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return false;
    }
    match json.parse::<i64>() {
        Ok(integer) => integer.unsigned_abs() <= MAX,
        Err(_) => json.contains(['.', 'e', 'E']) || json == "-0",
    }
}
