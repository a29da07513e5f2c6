//! Reads parquet files in batches: all or some columns, and the label names that the hub stores.

mod memory_limit;
mod page_headers;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ArrowReaderOptions;
use ::parquet::basic::Compression;
use ::parquet::column::reader::ColumnReader;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::{ArrayRef, RecordBatch};

use crate::columns::{ColumnRole, find_column};
use crate::error::DataError;
use memory_limit::{Builder, MemoryLimit, corrupt, largest_page, rows_per_batch};

/// The columns of a file. The arrays of all columns have the same lengths.
pub(crate) struct ParquetColumns {
    pub(crate) columns: Vec<(String, Vec<ArrayRef>)>,
    /// The label names that the hub stores, by column.
    pub(crate) label_names: Vec<(String, Vec<String>)>,
}

/// Returns all columns in their arrow types. With `wanted`, returns only these columns, in parquet's plain types.
pub(crate) fn read_columns(
    path: &Path,
    wanted: Option<&[(&str, ColumnRole)]>,
) -> Result<ParquetColumns, DataError> {
    catch_panics(path, || {
        let builder = match wanted {
            Some(_) => open(path)?,
            None => {
                let file = File::open(path).map_err(DataError::io(path))?;
                Builder::try_new(file).or_else(|_| open(path))?
            }
        };
        let label_names = label_names(builder.metadata().file_metadata().key_value_metadata());
        let fields = builder.schema().fields();
        let names = || fields.iter().map(|field| field.name().as_str());
        let mut indices = match wanted {
            Some(wanted) => wanted
                .iter()
                .map(|(column, role)| find_column(path, names(), column, *role))
                .collect::<Result<Vec<_>, _>>()?,
            None => (0..fields.len()).collect(),
        };
        indices.sort_unstable();
        indices.dedup();
        let names = indices.iter().map(|&index| (fields[index].name().clone(), vec![]));
        let mut columns = names.collect::<Vec<_>>();
        let mut memory = MemoryLimit::of(path)?;
        for_each_batch(path, builder, &indices, |batch| {
            memory.add(path, batch)?;
            columns
                .iter_mut()
                .zip(batch.columns())
                .for_each(|((_, chunks), chunk)| chunks.push(chunk.clone()));
            Ok(())
        })?;
        Ok(ParquetColumns { columns, label_names })
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

/// Returns the label names that the hub stores under `info.features.{column}` in the metadata, by column.
///
/// The features of a list of labels are one level down, under `feature`.
fn label_names(metadata: Option<&Vec<KeyValue>>) -> Vec<(String, Vec<String>)> {
    let entry = metadata.into_iter().flatten().find(|entry| entry.key == "huggingface");
    let json = entry.and_then(|entry| entry.value.as_deref());
    let parsed = json.and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let Some(features) = parsed.as_ref().and_then(|json| json["info"]["features"].as_object()) else {
        return vec![];
    };
    let names = |feature: &serde_json::Value| {
        let names = feature["names"].as_array().or_else(|| feature["feature"]["names"].as_array())?;
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    features.iter().filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
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
