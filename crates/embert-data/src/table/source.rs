//! An open file of any format, which is read in chunks.

use std::path::Path;

use super::LabelNames;
use super::chunk::{Chunk, ChunkSize};
#[cfg(feature = "parquet")]
use crate::arrow_ipc::ArrowReader;
use crate::columns::ColumnRole;
use crate::delimited::DelimitedReader;
use crate::error::DataError;
use crate::format::Format;
use crate::json::{JsonReader, Keys, find_keys};
use crate::note::DataNote;
use crate::options::ReadOptions;
#[cfg(feature = "parquet")]
use crate::parquet::ParquetReader;
use crate::text_lines::TextReader;

/// An open file.
pub(super) enum Source {
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetReader>),
    #[cfg(feature = "parquet")]
    Arrow(Box<ArrowReader>),
    Delimited(Box<DelimitedReader>),
    Json(Box<JsonReader>),
    Text(Box<TextReader>),
}

impl Source {
    /// Opens a file. With `wanted`, reads only these columns; an error if one does not exist.
    ///
    /// `keys` are the keys of all json files that are read.
    pub(super) fn open(
        path: &Path,
        options: &ReadOptions,
        wanted: Option<&[(&str, ColumnRole)]>,
        keys: &Keys,
    ) -> Result<Self, DataError> {
        Ok(match Format::detect(path, options.csv_encoding)? {
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::Parquet(Box::new(ParquetReader::open(path, wanted)?)),
            #[cfg(feature = "parquet")]
            Format::Arrow => Self::Arrow(Box::new(ArrowReader::open(path, wanted)?)),
            Format::Delimited(separator) => {
                Self::Delimited(Box::new(DelimitedReader::open(path, separator, options, wanted)?))
            }
            Format::Json => {
                Self::Json(Box::new(JsonReader::open(path, options, true, wanted, keys.clone())?))
            }
            Format::Jsonl => {
                Self::Json(Box::new(JsonReader::open(path, options, false, wanted, keys.clone())?))
            }
            Format::Text => Self::Text(Box::new(TextReader::open(path, options, wanted)?)),
        })
    }

    /// Returns the next rows; `None` at the end.
    pub(super) fn next_chunk(&mut self, size: ChunkSize) -> Result<Option<Chunk>, DataError> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet(reader) => reader.next_chunk(size),
            #[cfg(feature = "parquet")]
            Self::Arrow(reader) => reader.next_chunk(size),
            Self::Delimited(reader) => reader.next_chunk(size),
            Self::Json(reader) => reader.next_chunk(size),
            Self::Text(reader) => reader.next_chunk(size),
        }
    }

    /// Returns the keys of all rows of the json files among these files.
    pub(super) fn json_keys<'a>(
        paths: impl Iterator<Item = &'a Path>,
        options: &ReadOptions,
    ) -> Result<Keys, DataError> {
        let mut keys = Keys::default();
        for path in paths {
            match Format::detect(path, options.csv_encoding)? {
                Format::Json => find_keys(path, options, true, &mut keys)?,
                Format::Jsonl => find_keys(path, options, false, &mut keys)?,
                _ => {}
            }
        }
        Ok(keys)
    }

    /// Returns the label names that the file stores, by column.
    pub(super) fn label_names(&self) -> LabelNames {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet(reader) => reader.label_names.clone(),
            #[cfg(feature = "parquet")]
            Self::Arrow(reader) => reader.label_names.clone(),
            Self::Delimited(_) | Self::Json(_) | Self::Text(_) => vec![],
        }
    }

    /// Returns notes about the rows so far.
    pub(super) fn notes(&self) -> Vec<DataNote> {
        match self {
            Self::Delimited(reader) => reader.notes().collect(),
            _ => vec![],
        }
    }
}
