//! Reads Arrow IPC in chunks: files (feather version 2) and streams.
//!
//! A file is a stream between a magic number and a footer. So both are read in order, without the footer.

mod decoder;
mod messages;
mod value_sizes;

use std::path::{Path, PathBuf};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use crate::catch_panics::catch_panics;
use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::features;
use crate::find_column::find_column;
use crate::input::{self, Bytes};
use crate::memory_limit::MemoryLimit;
use crate::parquet::{corrupt, rows_per_batch};
use crate::table::{Chunk, ChunkSize, LabelNames, arrow_columns};
use decoder::Decoder;
use messages::Messages;

/// An open file or stream.
pub(crate) struct ArrowReader {
    path: PathBuf,
    decoder: Decoder,
    names: Vec<String>,
    /// The indices of the columns to read, in plain types; `None` for all columns in their own types.
    wanted: Option<Vec<usize>>,
    /// The rest of a batch that is larger than a chunk.
    rest: Option<RecordBatch>,
    memory: MemoryLimit,
    /// The number of rows read so far.
    row: usize,
    pub(crate) label_names: LabelNames,
}

impl ArrowReader {
    /// Opens a file. With `wanted`, reads only these columns, without dictionaries and views.
    pub(crate) fn open(path: &Path, wanted: Option<&[(&str, ColumnRole)]>) -> Result<Self, DataError> {
        let mut reader = Self::new(path, input::open(path)?, MemoryLimit::of(path)?, false, wanted)?;
        if reader.label_names.is_empty() {
            reader.label_names = features::next_to(path);
        }
        Ok(reader)
    }

    /// Reads a stream. `path` is its name in messages.
    pub(crate) fn of_stream(path: &Path, bytes: Bytes) -> Result<Self, DataError> {
        Self::new(path, bytes, MemoryLimit::of_stream(), true, None)
    }

    fn new(
        path: &Path,
        bytes: Bytes,
        memory: MemoryLimit,
        is_stream: bool,
        wanted: Option<&[(&str, ColumnRole)]>,
    ) -> Result<Self, DataError> {
        catch_panics(path, || {
            let mut memory = memory;
            let decoder = Decoder::new(path, Messages::new(path, bytes, is_stream)?, &mut memory)?;
            let schema = decoder.schema.clone();
            let wanted = wanted.map(|wanted| indices(path, &schema, wanted)).transpose()?;
            let all = (0..schema.fields().len()).collect::<Vec<_>>();
            let names =
                wanted.as_ref().unwrap_or(&all).iter().map(|&index| schema.field(index).name().clone());
            let (names, path) = (names.collect(), path.to_path_buf());
            let json = schema.metadata().get(features::METADATA_KEY).map(String::as_str);
            let label_names = features::of_metadata(json);
            Ok(Self { path, decoder, names, wanted, rest: None, memory, row: 0, label_names })
        })
    }

    /// Returns the next rows; `None` at the end.
    pub(crate) fn next_chunk(&mut self, size: ChunkSize) -> Result<Option<Chunk>, DataError> {
        let path = self.path.clone();
        catch_panics(&path, || {
            let (mut batches, mut rows, mut bytes) = (Vec::new(), 0, 0);
            while size.has_room(rows, bytes) {
                let Some(batch) = self.next_batch(size.rows - rows)? else { break };
                rows += batch.num_rows();
                bytes += value_sizes::total(&batch) as usize;
                batches.push(batch);
            }
            let first = self.row;
            self.row += rows;
            Ok((rows > 0).then(|| Chunk::numbered(arrow_columns(&self.names, &batches), first)))
        })
    }

    /// Returns at most `max_rows` rows of the current batch.
    fn next_batch(&mut self, max_rows: usize) -> Result<Option<RecordBatch>, DataError> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.decode()? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        let step = max_rows.min(self.plain_rows(&batch)).min(batch.num_rows());
        if step < batch.num_rows() {
            self.rest = Some(batch.slice(step, batch.num_rows() - step));
        }
        self.plain(batch.slice(0, step)).map(Some)
    }

    /// Decodes the next batch.
    fn decode(&mut self) -> Result<Option<RecordBatch>, DataError> {
        let Some(batch) = self.decoder.next(&self.path, &mut self.memory)? else { return Ok(None) };
        self.memory.add(&self.path, value_sizes::total(&batch))?;
        self.project(batch).map(Some)
    }

    fn project(&self, batch: RecordBatch) -> Result<RecordBatch, DataError> {
        match &self.wanted {
            Some(wanted) => batch.project(wanted).map_err(|error| corrupt(&self.path, &error)),
            None => Ok(batch),
        }
    }

    /// Returns the number of rows whose plain values fit into memory: a dictionary stores a value once for many rows.
    fn plain_rows(&self, batch: &RecordBatch) -> usize {
        let to_convert = batch.columns().iter().filter(|array| plain_type(array).is_some());
        match to_convert.map(value_sizes::largest).max() {
            Some(largest) => rows_per_batch(largest),
            None => usize::MAX,
        }
    }

    /// Converts dictionaries, views and large strings to plain types, if only some columns are read.
    fn plain(&mut self, batch: RecordBatch) -> Result<RecordBatch, DataError> {
        if self.wanted.is_none() || batch.columns().iter().all(|array| plain_type(array).is_none()) {
            return Ok(batch);
        }
        let cast = |array: &ArrayRef| match plain_type(array) {
            Some(plain) => arrow_cast::cast(array, &plain).map_err(|error| corrupt(&self.path, &error)),
            None => Ok(array.clone()),
        };
        let arrays = batch.columns().iter().map(cast).collect::<Result<Vec<_>, _>>()?;
        let columns = self.names.iter().zip(arrays).map(|(name, array)| (name, array, true));
        let plain = RecordBatch::try_from_iter_with_nullable(columns);
        let plain = plain.map_err(|error| corrupt(&self.path, &error))?;
        self.memory.add(&self.path, value_sizes::total(&plain))?;
        Ok(plain)
    }
}

fn indices(path: &Path, schema: &SchemaRef, wanted: &[(&str, ColumnRole)]) -> Result<Vec<usize>, DataError> {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let indices = wanted.iter().map(|(column, role)| find_column(path, names(), column, *role));
    let mut indices = indices.collect::<Result<Vec<_>, _>>()?;
    indices.sort_unstable();
    indices.dedup();
    Ok(indices)
}

/// Returns the plain type of an array; `None` if it has one.
fn plain_type(array: &ArrayRef) -> Option<DataType> {
    match array.data_type() {
        DataType::Dictionary(_, values) => Some(plain(values)),
        other if plain(other) != *other => Some(plain(other)),
        _ => None,
    }
}

fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}
