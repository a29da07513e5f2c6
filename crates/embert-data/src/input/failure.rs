//! Errors that occur while bytes are read: in the decompressor, at the limit, or in the decoder of the text.

use std::io;
use std::path::Path;

use super::encoding::TextEncoding;
use crate::error::DataError;

/// An error inside of an [`io::Error`].
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ReadFailure {
    /// The compressed bytes are corrupt.
    #[error("{0}")]
    Corrupt(String),
    /// The file has more decompressed bytes than its limit.
    #[error("a decompression bomb")]
    Bomb {
        /// The maximum number of bytes.
        limit: u64,
    },
    /// Bytes that are no text in this encoding.
    #[error("not {0}")]
    Undecodable(TextEncoding),
}

impl From<ReadFailure> for io::Error {
    fn from(failure: ReadFailure) -> Self {
        Self::new(io::ErrorKind::InvalidData, failure)
    }
}

/// Returns the error for bytes that cannot be read, at this row. The header is row 0.
pub(crate) fn read_error(path: &Path, row: usize, error: io::Error) -> DataError {
    let failure = error.get_ref().and_then(|inner| inner.downcast_ref::<ReadFailure>());
    let path_buf = path.to_path_buf();
    match failure.cloned() {
        Some(ReadFailure::Corrupt(reason)) => DataError::Corrupt { path: path_buf, reason },
        Some(ReadFailure::Bomb { limit }) => DataError::DecompressionBomb { path: path_buf, limit },
        Some(ReadFailure::Undecodable(encoding)) => DataError::undecodable(path, row, encoding.name(), &[]),
        None => DataError::Io { path: path_buf, source: error },
    }
}
