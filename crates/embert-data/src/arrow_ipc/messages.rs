//! The messages of an Arrow IPC stream: metadata and body, with limits against decompression bombs.
//!
//! `continuation (4 bytes) | length of metadata (4 bytes) | metadata | body`

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use arrow_buffer::Buffer;
use arrow_ipc::{Message, MessageHeader, RecordBatch, root_as_message};

use crate::error::DataError;
use crate::input::{Bytes, read_error};
use crate::memory_limit::{MAX_EXPANSION, MemoryLimit};
use crate::parquet::corrupt;

const CONTINUATION: [u8; 4] = [0xff; 4];
/// The first bytes of a file, with padding.
const MAGIC: &[u8; 8] = b"ARROW1\0\0";
/// Bytes that a decompressed buffer may always have.
const FREE_BUFFER_BYTES: u64 = 16 << 20;

/// The messages of a stream.
pub(super) struct Messages {
    bytes: BufReader<Bytes>,
    /// Bytes that were read to recognize a file, and belong to the first message.
    start: Vec<u8>,
    /// True if the memory limit grows with the bytes that are read.
    is_stream: bool,
    /// True after the last message. The footer of a file follows.
    is_at_end: bool,
}

impl Messages {
    /// Begins after the magic number of a file.
    pub(super) fn new(path: &Path, bytes: Bytes, is_stream: bool) -> Result<Self, DataError> {
        let mut bytes = BufReader::with_capacity(64 << 10, bytes);
        let mut start = read(path, &mut bytes, MAGIC.len() as u64)?;
        if start == MAGIC {
            start.clear();
            skip_padding(path, &mut bytes)?;
        }
        Ok(Self { bytes, start, is_stream, is_at_end: false })
    }

    /// Returns the metadata and the body of the next message; `None` at the end.
    pub(super) fn next(
        &mut self,
        path: &Path,
        memory: &mut MemoryLimit,
    ) -> Result<Option<(Vec<u8>, Buffer)>, DataError> {
        let Some(length) = self.metadata_length(path)? else {
            self.is_at_end = true;
            return Ok(None);
        };
        let metadata = self.read_exact(path, length.into())?;
        let message = root_as_message(&metadata).map_err(|error| corrupt(path, &error))?;
        let body_length = u64::try_from(message.bodyLength()).map_err(|error| corrupt(path, &error))?;
        let body = self.read_exact(path, body_length)?;
        if self.is_stream {
            memory.grow((metadata.len() + body.len()) as u64);
        }
        check_buffers(path, &message, &body)?;
        Ok(Some((metadata, Buffer::from_vec(body))))
    }

    /// Returns the length of the metadata of the next message; `None` at the end.
    fn metadata_length(&mut self, path: &Path) -> Result<Option<u32>, DataError> {
        if self.is_at_end {
            return Ok(None);
        }
        let mut word = self.read_up_to(path, 4)?;
        if word == CONTINUATION {
            word = self.read_exact(path, 4)?;
        }
        match <[u8; 4]>::try_from(word.as_slice()) {
            Ok(word) => Ok(Some(u32::from_le_bytes(word)).filter(|length| *length > 0)),
            Err(_) if word.is_empty() => Ok(None),
            Err(_) => Err(truncated(path)),
        }
    }

    fn read_exact(&mut self, path: &Path, count: u64) -> Result<Vec<u8>, DataError> {
        let found = self.read_up_to(path, count)?;
        if (found.len() as u64) < count { Err(truncated(path)) } else { Ok(found) }
    }

    fn read_up_to(&mut self, path: &Path, count: u64) -> Result<Vec<u8>, DataError> {
        let mut found = self.start.drain(..self.start.len().min(count as usize)).collect::<Vec<_>>();
        found.extend(read(path, &mut self.bytes, count - found.len() as u64)?);
        Ok(found)
    }
}

/// Skips zeros after the magic number: some writers align the first message to 64 bytes.
fn skip_padding(path: &Path, bytes: &mut BufReader<Bytes>) -> Result<(), DataError> {
    const MAX_PADDING: usize = 64;
    for _ in 0..MAX_PADDING {
        let buffer = bytes.fill_buf().map_err(|error| read_error(path, 0, error))?;
        if buffer.first() != Some(&0) {
            break;
        }
        bytes.consume(1);
    }
    Ok(())
}

/// Reads up to `count` bytes. Memory is allocated for the bytes that exist, not for `count`.
fn read(path: &Path, bytes: &mut BufReader<Bytes>, count: u64) -> Result<Vec<u8>, DataError> {
    let mut found = Vec::new();
    bytes.take(count).read_to_end(&mut found).map_err(|error| read_error(path, 0, error))?;
    Ok(found)
}

/// Returns an error if a compressed buffer claims a size that is far larger than its bytes.
fn check_buffers(path: &Path, message: &Message, body: &[u8]) -> Result<(), DataError> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|batch| batch.data()),
        _ => None,
    };
    let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else { return Ok(()) };
    let total = MAX_EXPANSION.saturating_mul(body.len() as u64).saturating_add(4 * FREE_BUFFER_BYTES);
    let mut claimed = 0_u64;
    for (length, uncompressed) in compressed_buffers(&batch, body) {
        let limit = FREE_BUFFER_BYTES.max(length.saturating_mul(MAX_EXPANSION));
        claimed = claimed.saturating_add(uncompressed);
        if uncompressed > limit || claimed > total {
            return Err(DataError::DecompressionBomb { path: path.to_path_buf(), limit });
        }
    }
    Ok(())
}

/// Returns the compressed and the claimed size of each buffer. The claimed size is at the start of the buffer.
fn compressed_buffers<'a>(
    batch: &RecordBatch<'a>,
    body: &'a [u8],
) -> impl Iterator<Item = (u64, u64)> + use<'a> {
    let buffers = batch.buffers().into_iter().flatten();
    buffers.filter_map(|buffer| {
        let begin = usize::try_from(buffer.offset()).ok()?;
        let length = usize::try_from(buffer.length()).ok()?;
        let bytes = body.get(begin..begin.checked_add(length)?)?;
        let claimed = i64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        Some((length as u64, u64::try_from(claimed).ok()?)) // -1 marks a buffer without compression
    })
}

fn truncated(path: &Path) -> DataError {
    corrupt(path, &"the stream ends within a message")
}
