//! Parquet files, in batches and only the columns asked for, with the label names that the hub stores.

mod expansion;
mod pages;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::column::reader::ColumnReader;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};

use crate::columns::Columns;
use crate::error::DataError;
use crate::labels::{RawFile, RawLabel, RawRow};
use expansion::{Room, largest_page, rows_at_once};

const TEXT_TYPES: &str = "text";
const LABEL_TYPES: &str = "integers, text or booleans";

pub(crate) fn read(path: &Path, columns: &Columns) -> Result<RawFile, DataError> {
    guarded(path, || {
        let builder = open(path)?;
        let names = label_names(builder.metadata().file_metadata().key_value_metadata(), &columns.label);
        check_type(path, builder.schema(), &columns.text, is_text, TEXT_TYPES)?;
        check_type(path, builder.schema(), &columns.label, is_label, LABEL_TYPES)?;
        let mut rows = Vec::new();
        let mut room = Room::of(path)?;
        for_each_batch(path, builder, &[&columns.text, &columns.label], |batch| {
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
        Ok(RawFile { path: path.to_path_buf(), rows, names })
    })
}

pub(crate) fn read_texts(path: &Path, name: &str) -> Result<Vec<String>, DataError> {
    guarded(path, || {
        let builder = open(path)?;
        check_type(path, builder.schema(), name, is_text, TEXT_TYPES)?;
        let mut rows = Vec::new();
        let mut room = Room::of(path)?;
        for_each_batch(path, builder, &[name], |batch| {
            room.take(path, batch)?;
            rows.extend(texts(path, rows.len(), name, column(batch, name))?);
            Ok(())
        })?;
        Ok(rows)
    })
}

type Builder = ParquetRecordBatchReaderBuilder<File>;

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
    names: &[&str],
    mut take: impl FnMut(&RecordBatch) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let wanted = names.iter().filter_map(|name| builder.schema().index_of(name).ok());
    let wanted = wanted.collect::<Vec<_>>();
    let rows = rows_at_once(largest_page(path, &builder, &wanted)?);
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let batches = builder.with_projection(mask).with_batch_size(rows).build();
    let batches = batches.map_err(|error| corrupt(path, &error))?;
    for batch in batches {
        match batch {
            Ok(batch) => take(&batch)?,
            Err(error) => return Err(undecodable(path, names, &error)),
        }
    }
    Ok(())
}

/// # Panics
///
/// When the batch lacks the column, which its projection holds.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    &batch[name]
}

fn check_type(
    path: &Path,
    schema: &SchemaRef,
    column: &str,
    accepts: fn(&DataType) -> bool,
    expected: &'static str,
) -> Result<(), DataError> {
    let names = || schema.fields().iter().map(|field: &Arc<Field>| field.name().as_str());
    let Ok(field) = schema.field_with_name(column) else {
        return Err(DataError::missing_column(path, column, names()));
    };
    if names().filter(|name| *name == column).count() > 1 {
        return Err(DataError::ColumnTwice { path: path.to_path_buf(), column: column.to_owned() });
    }
    if accepts(field.data_type()) {
        return Ok(());
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
    is_text(data_type) || data_type.is_integer() || *data_type == DataType::Boolean
}

fn texts(path: &Path, before: usize, column: &str, values: &ArrayRef) -> Result<Vec<String>, DataError> {
    let text = |(index, row)| {
        if values.is_null(index) {
            return Err(DataError::null(path, row, column));
        }
        match values.data_type() {
            DataType::Binary => std::str::from_utf8(values.as_binary::<i32>().value(index))
                .map_err(|_| DataError::not_utf8(path, row, column)),
            _ => Ok(values.as_string::<i32>().value(index)),
        }
        .map(str::to_owned)
    };
    (0..values.len()).zip(before + 1..).map(text).collect()
}

fn labels(path: &Path, before: usize, column: &str, values: &ArrayRef) -> Result<Vec<RawLabel>, DataError> {
    if is_text(values.data_type()) {
        let names = texts(path, before, column, values)?;
        return Ok(names.into_iter().map(RawLabel::Name).collect());
    }
    let integers = arrow_cast::cast(values, &DataType::Int64)
        .map_err(|error| corrupt(path, &ParquetError::from(error)))?;
    let label = |(index, row)| {
        if values.is_null(index) {
            return Err(DataError::null(path, row, column));
        }
        // What does not fit into 64 signed bits is null after the cast, and no class id either.
        let fits = integers.is_valid(index);
        Ok(RawLabel::Id(if fits { integers.as_primitive::<Int64Type>().value(index) } else { i64::MAX }))
    };
    (0..values.len()).zip(before + 1..).map(label).collect()
}

/// The names under `info.features.{column}.names` of the hub's metadata.
fn label_names(metadata: Option<&Vec<KeyValue>>, column: &str) -> Option<Vec<String>> {
    let entry = metadata?.iter().find(|entry| entry.key == "huggingface")?;
    let features: serde_json::Value = serde_json::from_str(entry.value.as_ref()?).ok()?;
    let names = features["info"]["features"][column]["names"].as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

fn corrupt(path: &Path, error: &ParquetError) -> DataError {
    damaged(path, error)
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() }
}

/// A batch that is damaged, or text that is not UTF-8: the decoder names no row, so it is looked up.
fn undecodable(path: &Path, columns: &[&str], error: &arrow_schema::ArrowError) -> DataError {
    let not_utf8 = || columns.iter().find_map(|column| Some((*column, first_row_not_utf8(path, column)?)));
    match not_utf8() {
        Some((column, row)) => DataError::not_utf8(path, row, column),
        None => DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() },
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
