//! Writes a value of an arrow array as JSON or as a csv cell.

use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};

/// Writes a value as JSON. Numbers, booleans, lists and structs keep their types; other values become text.
pub(super) fn write_json(array: &ArrayRef, row: usize, out: &mut dyn Write) -> io::Result<()> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return out.write_all(b"null");
    }
    match array.data_type() {
        DataType::Float16 => {
            Ok(serde_json::to_writer(out, &array.as_primitive::<Float16Type>().value(row).to_f32())?)
        }
        DataType::Float32 => Ok(serde_json::to_writer(out, &array.as_primitive::<Float32Type>().value(row))?),
        DataType::Float64 => Ok(serde_json::to_writer(out, &array.as_primitive::<Float64Type>().value(row))?),
        number if number.is_numeric() || *number == DataType::Boolean => {
            out.write_all(formatted(array, row)?.as_bytes())
        }
        DataType::List(_) => write_list(&array.as_list::<i32>().value(row), out),
        DataType::LargeList(_) => write_list(&array.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(..) => write_list(&array.as_fixed_size_list().value(row), out),
        DataType::Struct(_) => write_struct(array, row, out),
        DataType::Dictionary(_, values) => write_json(&cast(array, row, values)?, 0, out),
        _ => Ok(serde_json::to_writer(out, &formatted(array, row)?)?),
    }
}

/// Formats a value as a csv cell: null is empty, lists and structs are JSON.
pub(super) fn cell(array: &ArrayRef, row: usize) -> io::Result<Vec<u8>> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(vec![]);
    }
    match array.data_type() {
        DataType::Dictionary(_, values) => cell(&cast(array, row, values)?, 0),
        nested if nested.is_nested() => {
            let mut out = Vec::new();
            write_json(array, row, &mut out)?;
            Ok(out)
        }
        _ => Ok(formatted(array, row)?.into_bytes()),
    }
}

fn write_list(values: &ArrayRef, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for row in 0..values.len() {
        out.write_all(if row == 0 { b"" } else { b"," })?;
        write_json(values, row, out)?;
    }
    out.write_all(b"]")
}

fn write_struct(array: &ArrayRef, row: usize, out: &mut dyn Write) -> io::Result<()> {
    let fields = array.as_struct();
    for (at, (name, column)) in fields.column_names().into_iter().zip(fields.columns()).enumerate() {
        out.write_all(if at == 0 { b"{" } else { b"," })?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        write_json(column, row, out)?;
    }
    out.write_all(if fields.num_columns() == 0 { b"{}" } else { b"}" })
}

/// Formats a value as text.
///
/// Binary values are text if they are UTF-8. Timestamps with a time zone are written in UTC, because the names of time
/// zones need a database.
fn formatted(array: &ArrayRef, row: usize) -> io::Result<String> {
    let array = match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => &cast(array, row, &utc(*unit))?,
        binary if binary.is_binary() => {
            let text = arrow_cast::cast(&with_lengths(array, row)?, &DataType::Utf8).map_err(other)?;
            if text.is_null(0) { &array.slice(row, 1) } else { &text.clone() }
        }
        _ => &array.slice(row, 1),
    };
    let options = FormatOptions::new().with_display_error(false);
    let formatter = ArrayFormatter::try_new(array, &options).map_err(other)?;
    formatter.value(0).try_to_string().map_err(other)
}

/// Returns a binary value. UUIDs have a fixed size, and arrow casts only binary values with lengths to text.
fn with_lengths(array: &ArrayRef, row: usize) -> io::Result<ArrayRef> {
    match array.data_type() {
        DataType::FixedSizeBinary(_) => cast(array, row, &DataType::Binary),
        _ => Ok(array.slice(row, 1)),
    }
}

fn utc(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("+00:00".into()))
}

fn cast(array: &ArrayRef, row: usize, to: &DataType) -> io::Result<ArrayRef> {
    arrow_cast::cast(&array.slice(row, 1), to).map_err(other)
}

fn other(error: ArrowError) -> io::Error {
    io::Error::other(error)
}
