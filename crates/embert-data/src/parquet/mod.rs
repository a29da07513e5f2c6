//! Reads parquet files in chunks: all or some columns, and the label names that the hub stores.

mod page_headers;
mod page_limit;

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader};
use ::parquet::basic::Compression;
use ::parquet::column::reader::ColumnReader;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::RecordBatch;

use crate::catch_panics::catch_panics;
use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::features;
use crate::find_column::find_column;
use crate::memory_limit::MemoryLimit;
use crate::table::{Chunk, ChunkSize, LabelNames, arrow_columns};
use page_limit::{Builder, largest_page};
pub(crate) use page_limit::{corrupt, rows_per_batch};

/// An open parquet file.
pub(crate) struct ParquetReader {
    path: PathBuf,
    names: Vec<String>,
    batches: ParquetRecordBatchReader,
    /// Maximum number of rows of a batch.
    batch_rows: usize,
    memory: MemoryLimit,
    /// The number of rows read so far.
    row: usize,
    pub(crate) label_names: LabelNames,
}

impl ParquetReader {
    /// Opens a file with all columns in their arrow types. With `wanted`, reads only these columns, in parquet's plain
    /// types.
    pub(crate) fn open(path: &Path, wanted: Option<&[(&str, ColumnRole)]>) -> Result<Self, DataError> {
        catch_panics(path, || {
            let builder = match wanted {
                Some(_) => open(path)?,
                None => {
                    let file = File::open(path).map_err(DataError::io(path))?;
                    Builder::try_new(file).or_else(|_| open(path))?
                }
            };
            let columns = columns(path, &builder, wanted)?;
            let names = columns.iter().map(|&index| builder.schema().field(index).name().clone()).collect();
            let label_names = label_names(&builder);
            check_codecs(path, &builder, &columns)?;
            let batch_rows = rows_per_batch(largest_page(path, &builder, &columns)?);
            let batches = batches(path, builder, &columns, batch_rows)?;
            let memory = MemoryLimit::of(path)?;
            Ok(Self { path: path.to_path_buf(), names, batches, batch_rows, memory, row: 0, label_names })
        })
    }

    /// Returns the next rows; `None` at the end.
    pub(crate) fn next_chunk(&mut self, size: ChunkSize) -> Result<Option<Chunk>, DataError> {
        let path = self.path.clone();
        catch_panics(&path, || {
            let (mut batches, mut rows, mut bytes) = (Vec::new(), 0, 0);
            while size.has_room(rows, bytes) && (rows == 0 || rows + self.batch_rows <= size.rows) {
                let Some(batch) = self.next_batch()? else { break };
                rows += batch.num_rows();
                bytes += batch.get_array_memory_size();
                batches.push(batch);
            }
            let first = self.row;
            self.row += rows;
            Ok((rows > 0).then(|| Chunk::numbered(arrow_columns(&self.names, &batches), first)))
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DataError> {
        match self.batches.next() {
            Some(Ok(batch)) => {
                self.memory.add_batch(&self.path, &batch)?;
                Ok(Some(batch))
            }
            Some(Err(error)) => Err(decode_error(&self.path, &self.names, &error)),
            None => Ok(None),
        }
    }
}

/// Returns the indices of the wanted columns, in the order of the file.
fn columns(
    path: &Path,
    builder: &Builder,
    wanted: Option<&[(&str, ColumnRole)]>,
) -> Result<Vec<usize>, DataError> {
    let fields = builder.schema().fields();
    let Some(wanted) = wanted else { return Ok((0..fields.len()).collect()) };
    let names = || fields.iter().map(|field| field.name().as_str());
    let indices = wanted.iter().map(|(column, role)| find_column(path, names(), column, *role));
    let mut indices = indices.collect::<Result<Vec<_>, _>>()?;
    indices.sort_unstable();
    indices.dedup();
    Ok(indices)
}

fn label_names(builder: &Builder) -> LabelNames {
    let metadata = builder.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    let mut entries = metadata.filter(|entry| entry.key == features::METADATA_KEY);
    features::of_metadata(entries.next().and_then(|entry| entry.value.as_deref()))
}

fn batches(
    path: &Path,
    builder: Builder,
    columns: &[usize],
    rows: usize,
) -> Result<ParquetRecordBatchReader, DataError> {
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
    let batches = builder.with_projection(mask).with_batch_size(rows).build();
    batches.map_err(|error| corrupt(path, &error))
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

/// Returns an error if a column has a compression codec that is not supported.
fn check_codecs(path: &Path, builder: &Builder, columns: &[usize]) -> Result<(), DataError> {
    let schema = builder.parquet_schema();
    let groups = builder.metadata().row_groups().iter();
    let leaves = groups.flat_map(|group| group.columns().iter().enumerate());
    let of_columns = leaves.filter(|(leaf, _)| columns.contains(&schema.get_column_root_idx(*leaf)));
    let mut codecs = of_columns.map(|(_, leaf)| leaf.compression());
    if codecs.any(|codec| codec == Compression::LZO) {
        return Err(DataError::UnsupportedCodec { path: path.to_path_buf(), codec: "LZO".to_owned() });
    }
    Ok(())
}

/// Returns the error for a batch that cannot be decoded: it is corrupt, or a text in it is not UTF-8.
///
/// The decoder does not name the row, so this searches for it.
fn decode_error(path: &Path, columns: &[String], error: &arrow_schema::ArrowError) -> DataError {
    let not_utf8 = || columns.iter().find_map(|column| Some((column, first_row_not_utf8(path, column)?)));
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

/// Returns the number of rows in the metadata of a file; `None` if it cannot be read.
pub(crate) fn num_rows(path: &Path) -> Option<u64> {
    let builder = catch_panics(path, || open(path)).ok()?;
    u64::try_from(builder.metadata().file_metadata().num_rows()).ok()
}
