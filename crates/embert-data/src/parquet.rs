//! Parquet files, in batches and only the columns asked for, with the label names that the hub stores.

mod expansion;
mod pages;

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
use crate::labels::{RawFile, RawLabel, RawRow};
use expansion::{Builder, Room, corrupt, largest_page, rows_at_once};

const TEXT_TYPES: &str = "text";
const LABEL_TYPES: &str = "integers, text or booleans";

pub(crate) fn read(path: &Path, columns: &Columns) -> Result<RawFile, DataError> {
    guarded(path, || {
        let builder = open(path)?;
        let names = label_names(builder.metadata().file_metadata().key_value_metadata(), &columns.label);
        let text = check_type(path, builder.schema(), &columns.text, ColumnRole::Text)?;
        let label = check_type(path, builder.schema(), &columns.label, ColumnRole::Label)?;
        let mut rows = Vec::new();
        let mut room = Room::of(path)?;
        for_each_batch(path, builder, &[text, label], |batch| {
            room.take(path, batch)?;
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
    guarded(path, || {
        let builder = open(path)?;
        let text = check_type(path, builder.schema(), name, ColumnRole::Text)?;
        let mut rows = Vec::new();
        let mut room = Room::of(path)?;
        for_each_batch(path, builder, &[text], |batch| {
            room.take(path, batch)?;
            rows.extend(texts(path, rows.len(), name, column(batch, name))?);
            Ok(())
        })?;
        Ok(rows)
    })
}

/// The name and the chunks of every column, with their arrow types. All columns have chunks of the same lengths.
pub(crate) fn read_columns(path: &Path) -> Result<Vec<(String, Vec<ArrayRef>)>, DataError> {
    guarded(path, || {
        let file = File::open(path).map_err(DataError::io(path))?;
        let builder = Builder::try_new(file).or_else(|_| open(path))?;
        let names = builder.schema().fields().iter().map(|field| (field.name().clone(), vec![]));
        let mut columns = names.collect::<Vec<_>>();
        let mut room = Room::of(path)?;
        let all = (0..columns.len()).collect::<Vec<_>>();
        for_each_batch(path, builder, &all, |batch| {
            room.take(path, batch)?;
            columns
                .iter_mut()
                .zip(batch.columns())
                .for_each(|((_, chunks), chunk)| chunks.push(chunk.clone()));
            Ok(())
        })?;
        Ok(columns)
    })
}

/// The most bytes that the rows of a file may take in memory.
pub(crate) fn most_bytes(path: &Path) -> Result<u64, DataError> {
    Ok(Room::of(path)?.limit)
}

/// The decoder panics on some damaged files: to a caller that is a damaged file like any other.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = format!("the parquet crate panicked: {}", message.unwrap_or("without a message"));
        Err(DataError::Corrupt { path: path.to_path_buf(), reason })
    })
}

/// Opens the file by its parquet types alone. The arrow schema that some writers add would bring back
/// dictionaries, views and large strings, which are all plain text or integers in the file.
fn open(path: &Path) -> Result<Builder, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    Builder::try_new_with_options(file, options).map_err(|error| corrupt(path, &error))
}

fn for_each_batch(
    path: &Path,
    builder: Builder,
    wanted: &[usize],
    mut take: impl FnMut(&RecordBatch) -> Result<(), DataError>,
) -> Result<(), DataError> {
    require_codecs(path, &builder, wanted)?;
    let rows = rows_at_once(largest_page(path, &builder, wanted)?);
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
    let schema = builder.schema().clone();
    let batches = builder.with_projection(mask).with_batch_size(rows).build();
    let batches = batches.map_err(|error| corrupt(path, &error))?;
    for batch in batches {
        match batch {
            Ok(batch) => take(&batch)?,
            Err(error) => {
                let names = wanted.iter().map(|&column| schema.field(column).name().as_str());
                return Err(undecodable(path, &names.collect::<Vec<_>>(), &error));
            }
        }
    }
    Ok(())
}

/// Refuses columns in a compression that this build cannot decode.
fn require_codecs(path: &Path, builder: &Builder, columns: &[usize]) -> Result<(), DataError> {
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
        Some(codec) => Err(DataError::Codec { path: path.to_path_buf(), codec: codec.to_owned() }),
        None => Ok(()),
    }
}

/// # Panics
///
/// When the batch lacks the column, which its projection holds.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    &batch[name]
}

/// The index of the column, if its type suits its role.
fn check_type(path: &Path, schema: &SchemaRef, column: &str, role: ColumnRole) -> Result<usize, DataError> {
    let names = || schema.fields().iter().map(|field: &Arc<Field>| field.name().as_str());
    let Ok(index) = schema.index_of(column) else {
        return Err(DataError::missing_column(path, column, role, names()));
    };
    if names().filter(|name| *name == column).count() > 1 {
        return Err(DataError::ColumnTwice { path: path.to_path_buf(), column: column.to_owned() });
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
    matches!(data_type, DataType::Utf8 | DataType::Binary) // binary: text of older writers
}

fn is_label(data_type: &DataType) -> bool {
    is_text(data_type) || data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null)
}

fn texts(path: &Path, before: usize, column: &str, values: &ArrayRef) -> Result<Vec<String>, DataError> {
    let text = |index| match values.is_null(index) {
        true => Err(DataError::null(path, before + index + 1, column)),
        false => text(path, before + index + 1, column, values, index).map(str::to_owned),
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
            labels(&|row| RawLabel::of_float(numbers.as_primitive::<Float64Type>().value(row)))
        }
        _ => {
            let text = |row| match values.is_null(row) {
                true => Ok(RawLabel::Missing),
                false => Ok(RawLabel::Text(text(path, before + row + 1, column, values, row)?.to_owned())),
            };
            (0..values.len()).map(text).collect()
        }
    }
}

/// The names under `info.features.{column}.names` of the hub's metadata.
fn label_names(metadata: Option<&Vec<KeyValue>>, column: &str) -> Option<Vec<String>> {
    let entry = metadata?.iter().find(|entry| entry.key == "huggingface")?;
    let features: serde_json::Value = serde_json::from_str(entry.value.as_ref()?).ok()?;
    let names = features["info"]["features"][column]["names"].as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// A batch that is damaged, or text that is not UTF-8: the decoder names no row, so it is looked up.
fn undecodable(path: &Path, columns: &[&str], error: &arrow_schema::ArrowError) -> DataError {
    let not_utf8 = || columns.iter().find_map(|column| Some((*column, first_row_not_utf8(path, column)?)));
    match not_utf8() {
        Some((column, row)) => DataError::not_utf8(path, row, column),
        None => corrupt(path, error),
    }
}

/// Reads the column's bytes again, without arrow. None when they are all text, or cannot be read.
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

/// The row of the `value`th cell that is not null; a column that cannot be null has no levels.
fn row_of_value(levels: &[i16], most: i16, value: usize) -> usize {
    let mut present = levels.iter().enumerate().filter(|(_, level)| **level == most);
    present.nth(value).map_or(value, |(row, _)| row)
}
