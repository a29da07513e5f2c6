//! Decodes the messages of an Arrow IPC stream: a schema, then dictionaries and batches.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};

use super::messages::Messages;
use crate::error::DataError;
use crate::memory_limit::MemoryLimit;
use crate::parquet::corrupt;

/// The schema of a stream, and its dictionaries so far.
pub(super) struct Decoder {
    messages: Messages,
    pub(super) schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
}

impl Decoder {
    /// Reads the schema, which is the first message.
    pub(super) fn new(
        path: &Path,
        mut messages: Messages,
        memory: &mut MemoryLimit,
    ) -> Result<Self, DataError> {
        let no_schema = || corrupt(path, &"the first message is not a schema");
        let (metadata, _) = messages.next(path, memory)?.ok_or_else(no_schema)?;
        let message = root_as_message(&metadata).map_err(|error| corrupt(path, &error))?;
        let schema = message.header_as_schema().ok_or_else(no_schema)?;
        let schema = try_fb_to_schema(schema).map_err(|error| corrupt(path, &error))?;
        Ok(Self { messages, schema: Arc::new(schema), dictionaries: HashMap::new() })
    }

    /// Returns the next batch; `None` at the end.
    pub(super) fn next(
        &mut self,
        path: &Path,
        memory: &mut MemoryLimit,
    ) -> Result<Option<RecordBatch>, DataError> {
        while let Some((metadata, body)) = self.messages.next(path, memory)? {
            if let Some(batch) = self.decode(&metadata, &body).map_err(|error| corrupt(path, &error))? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Decodes a message. Returns `None` for a dictionary, which is kept.
    fn decode(&mut self, metadata: &[u8], body: &Buffer) -> Result<Option<RecordBatch>, ArrowError> {
        let message = root_as_message(metadata).map_err(|error| ArrowError::ParseError(error.to_string()))?;
        let (version, missing) =
            (message.version(), || ArrowError::ParseError("an empty message".to_owned()));
        match message.header_type() {
            MessageHeader::RecordBatch => {
                let batch = message.header_as_record_batch().ok_or_else(missing)?;
                let schema = self.schema.clone();
                read_record_batch(body, batch, schema, &self.dictionaries, None, &version).map(Some)
            }
            MessageHeader::DictionaryBatch => {
                let batch = message.header_as_dictionary_batch().ok_or_else(missing)?;
                read_dictionary(body, batch, &self.schema, &mut self.dictionaries, &version).map(|()| None)
            }
            other => Err(ArrowError::ParseError(format!("a message of the unexpected type {other:?}"))),
        }
    }
}
