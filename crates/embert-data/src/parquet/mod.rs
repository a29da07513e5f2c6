//! Reads parquet files in batches: only the requested columns, and the label names that the hub stores.

mod memory_limit;
mod page_headers;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ArrowReaderOptions;
use ::parquet::basic::Compression;
use ::parquet::column::reader::ColumnReader;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};

use crate::columns::{ColumnRole, Columns};
use crate::error::DataError;
use crate::label_encoding::{RawFile, RawLabel, RawRow};
use memory_limit::{Builder, MemoryLimit, corrupt, largest_page, rows_per_batch};

const TEXT_TYPES: &str = "text";
const LABEL_TYPES: &str = "integers, text or booleans";

pub(crate) fn read(path: &Path, columns: &Columns) -> Result<RawFile, DataError> {
    catch_panics(path, || {
        let builder = open(path)?;
        let names = label_names(builder.metadata().file_metadata().key_value_metadata(), &columns.label);
        let text = column_index(path, builder.schema(), &columns.text, ColumnRole::Text)?;
        let label = column_index(path, builder.schema(), &columns.label, ColumnRole::Label)?;
        let mut rows = Vec::new();
        let mut memory = MemoryLimit::of(path)?;
        for_each_batch(path, builder, &[text, label], |batch| {
            memory.add(path, batch)?;
            let before = rows.len();
            let texts = texts(path, before, &columns.text, column(batch, &columns.text))?;
            let labels = labels(path, before, &columns.label, column(batch, &columns.label))?;
            rows.extend(texts.into_iter().zip(labels).zip(before + 1..).map(|((text, label), row)| RawRow {
                row,
                text,
                label,
            }));
            Ok(())
        })?;
        Ok(RawFile { path: path.to_path_buf(), rows, names, notes: vec![] })
    })
}

pub(crate) fn read_texts(path: &Path, name: &str) -> Result<Vec<String>, DataError> {
    catch_panics(path, || {
        let builder = open(path)?;
        let text = column_index(path, builder.schema(), name, ColumnRole::Text)?;
        let mut rows = Vec::new();
        let mut memory = MemoryLimit::of(path)?;
        for_each_batch(path, builder, &[text], |batch| {
            memory.add(path, batch)?;
            rows.extend(texts(path, rows.len(), name, column(batch, name))?);
            Ok(())
        })?;
        Ok(rows)
    })
}

/// Returns the name and the arrow arrays of each column. The arrays of all columns have the same lengths.
pub(crate) fn read_columns(path: &Path) -> Result<Vec<(String, Vec<ArrayRef>)>, DataError> {
    catch_panics(path, || {
        let file = File::open(path).map_err(DataError::io(path))?;
        let builder = Builder::try_new(file).or_else(|_| open(path))?;
        let names = builder.schema().fields().iter().map(|field| (field.name().clone(), vec![]));
        let mut columns = names.collect::<Vec<_>>();
        let mut memory = MemoryLimit::of(path)?;
        let all = (0..columns.len()).collect::<Vec<_>>();
        for_each_batch(path, builder, &all, |batch| {
            memory.add(path, batch)?;
            columns
                .iter_mut()
                .zip(batch.columns())
                .for_each(|((_, chunks), chunk)| chunks.push(chunk.clone()));
            Ok(())
        })?;
        Ok(columns)
    })
}

/// Returns the maximum number of bytes that the rows of a file may use in memory.
pub(crate) fn max_bytes(path: &Path) -> Result<u64, DataError> {
    Ok(MemoryLimit::of(path)?.limit)
}

/// Returns an error if `read` panics: the decoder panics on some corrupt files.
fn catch_panics<T>(path: &Path, read: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = format!("the parquet crate panicked: {}", message.unwrap_or("without a message"));
        Err(DataError::Corrupt { path: path.to_path_buf(), reason })
    })
}

/// Opens the file with its parquet types only.
///
/// The arrow schema that some writers store would add dictionaries, views and large strings. In the parquet types,
/// these are plain text or integers.
fn open(path: &Path) -> Result<Builder, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    Builder::try_new_with_options(file, options).map_err(|error| corrupt(path, &error))
}

fn for_each_batch(
    path: &Path,
    builder: Builder,
    columns: &[usize],
    mut visit: impl FnMut(&RecordBatch) -> Result<(), DataError>,
) -> Result<(), DataError> {
    check_codecs(path, &builder, columns)?;
    let rows = rows_per_batch(largest_page(path, &builder, columns)?);
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
    let schema = builder.schema().clone();
    let batches = builder.with_projection(mask).with_batch_size(rows).build();
    let batches = batches.map_err(|error| corrupt(path, &error))?;
    for batch in batches {
        match batch {
            Ok(batch) => visit(&batch)?,
            Err(error) => {
                let names = columns.iter().map(|&column| schema.field(column).name().as_str());
                return Err(decode_error(path, &names.collect::<Vec<_>>(), &error));
            }
        }
    }
    Ok(())
}

/// Returns an error if a column has a compression codec that is not supported.
fn check_codecs(path: &Path, builder: &Builder, columns: &[usize]) -> Result<(), DataError> {
    let schema = builder.parquet_schema();
    let groups = builder.metadata().row_groups().iter();
    let leaves = groups.flat_map(|group| group.columns().iter().enumerate());
    let of_columns = leaves.filter(|(leaf, _)| columns.contains(&schema.get_column_root_idx(*leaf)));
    let codec = of_columns.map(|(_, leaf)| leaf.compression()).find_map(|codec| match codec {
        Compression::BROTLI(_) => Some("brotli"),
        Compression::LZO => Some("LZO"),
        _ => None,
    });
    match codec {
        Some(codec) => Err(DataError::UnsupportedCodec { path: path.to_path_buf(), codec: codec.to_owned() }),
        None => Ok(()),
    }
}

/// Returns a column of a batch.
///
/// # Panics
///
/// Panics if the batch does not have the column. The projection ensures that it does.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    &batch[name]
}

/// Returns the index of a column; an error if its type does not fit its role.
fn column_index(path: &Path, schema: &SchemaRef, column: &str, role: ColumnRole) -> Result<usize, DataError> {
    let names = || schema.fields().iter().map(|field: &Arc<Field>| field.name().as_str());
    let Ok(index) = schema.index_of(column) else {
        return Err(DataError::missing_column(path, column, role, names()));
    };
    if names().filter(|name| *name == column).count() > 1 {
        return Err(DataError::DuplicateColumn { path: path.to_path_buf(), column: column.to_owned() });
    }
    let field = schema.field(index);
    let (is_accepted, expected) = match role {
        ColumnRole::Text => (is_text(field.data_type()), TEXT_TYPES),
        ColumnRole::Label => (is_label(field.data_type()), LABEL_TYPES),
    };
    if is_accepted {
        return Ok(index);
    }
    Err(DataError::ColumnType {
        path: path.to_path_buf(),
        column: column.to_owned(),
        found: field.data_type().to_string(),
        expected,
    })
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Binary) // older writers store text as binary
}

fn is_label(data_type: &DataType) -> bool {
    is_text(data_type) || data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null)
}

fn texts(path: &Path, before: usize, column: &str, values: &ArrayRef) -> Result<Vec<String>, DataError> {
    let text = |index| {
        let row = before + index + 1;
        if values.is_null(index) {
            Err(DataError::null(path, row, column))
        } else {
            text(path, row, column, values, index).map(str::to_owned)
        }
    };
    (0..values.len()).map(text).collect()
}

fn text<'a>(
    path: &Path,
    row: usize,
    column: &str,
    values: &'a ArrayRef,
    index: usize,
) -> Result<&'a str, DataError> {
    match values.data_type() {
        DataType::Binary => std::str::from_utf8(values.as_binary::<i32>().value(index))
            .map_err(|_| DataError::not_utf8(path, row, column)),
        _ => Ok(values.as_string::<i32>().value(index)),
    }
}

fn labels(path: &Path, before: usize, column: &str, values: &ArrayRef) -> Result<Vec<RawLabel>, DataError> {
    let cast = |to: &DataType| arrow_cast::cast(values, to).map_err(|error| corrupt(path, &error));
    let labels = |label: &dyn Fn(usize) -> RawLabel| {
        let row = |row| if values.is_null(row) { RawLabel::Missing } else { label(row) };
        Ok((0..values.len()).map(row).collect())
    };
    match values.data_type() {
        DataType::Null => Ok(vec![RawLabel::Missing; values.len()]),
        DataType::Boolean => labels(&|row| RawLabel::Boolean(values.as_boolean().value(row))),
        DataType::UInt64 => {
            labels(&|row| RawLabel::Integer(values.as_primitive::<UInt64Type>().value(row).into()))
        }
        integers if integers.is_integer() => {
            let integers = cast(&DataType::Int64)?;
            labels(&|row| RawLabel::Integer(integers.as_primitive::<Int64Type>().value(row).into()))
        }
        numbers if numbers.is_numeric() => {
            let numbers = cast(&DataType::Float64)?;
            labels(&|row| RawLabel::from_float(numbers.as_primitive::<Float64Type>().value(row)))
        }
        _ => {
            let text = |index| {
                if values.is_null(index) {
                    return Ok(RawLabel::Missing);
                }
                Ok(RawLabel::Text(text(path, before + index + 1, column, values, index)?.to_owned()))
            };
            (0..values.len()).map(text).collect()
        }
    }
}

/// Returns the label names that the hub stores under `info.features.{column}.names` in the metadata.
fn label_names(metadata: Option<&Vec<KeyValue>>, column: &str) -> Option<Vec<String>> {
    let entry = metadata?.iter().find(|entry| entry.key == "huggingface")?;
    let features: serde_json::Value = serde_json::from_str(entry.value.as_ref()?).ok()?;
    let names = features["info"]["features"][column]["names"].as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Returns the error for a batch that cannot be decoded: it is corrupt, or a text in it is not UTF-8.
///
/// The decoder does not name the row, so this searches for it.
fn decode_error(path: &Path, columns: &[&str], error: &arrow_schema::ArrowError) -> DataError {
    let not_utf8 = || columns.iter().find_map(|column| Some((*column, first_row_not_utf8(path, column)?)));
    match not_utf8() {
        Some((column, row)) => DataError::not_utf8(path, row, column),
        None => corrupt(path, error),
    }
}

/// Reads a column again, without arrow, and returns the first row that is not UTF-8.
fn first_row_not_utf8(path: &Path, column: &str) -> Option<usize> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    let descriptions = reader.metadata().file_metadata().schema_descr().columns().to_vec();
    let index = descriptions.iter().position(|leaf| leaf.path().string() == column)?;
    let most = descriptions[index].max_def_level();
    let mut before = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).ok()?;
        let ColumnReader::ByteArrayColumnReader(mut cells) = group.get_column_reader(index).ok()? else {
            return None;
        };
        loop {
            let (mut levels, mut values) = (Vec::new(), Vec::new());
            let (rows, _, _) = cells.read_records(1024, Some(&mut levels), None, &mut values).ok()?;
            if rows == 0 {
                break;
            }
            if let Some(bad) = values.iter().position(|cell| std::str::from_utf8(cell.data()).is_err()) {
                return Some(before + row_of_value(&levels, most, bad) + 1);
            }
            before += rows;
        }
    }
    None
}

/// Returns the row of a value, counted among the values that are not null. A column without nulls has no levels.
fn row_of_value(levels: &[i16], most: i16, value: usize) -> usize {
    let mut present = levels.iter().enumerate().filter(|(_, level)| **level == most);
    present.nth(value).map_or(value, |(row, _)| row)
}
