//! Limits the decompressed bytes of a file: 64 MiB + 1,000 · bytes of the file.

use std::io::{self, Read};
use std::path::Path;

use super::Bytes;
use super::failure::ReadFailure;
use crate::error::DataError;
use crate::memory_limit::MemoryLimit;

/// Decompressed bytes, up to a limit.
pub(super) struct Limited {
    bytes: Bytes,
    limit: u64,
    read: u64,
}

impl Limited {
    pub(super) fn new(path: &Path, bytes: Bytes) -> Result<Self, DataError> {
        Ok(Self { bytes, limit: MemoryLimit::of(path)?.limit, read: 0 })
    }
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer).map_err(corrupt)?;
        self.read += count as u64;
        if self.read > self.limit {
            return Err(ReadFailure::Bomb { limit: self.limit }.into());
        }
        Ok(count)
    }
}

/// Separates errors of the decompressor from those of the operating system.
fn corrupt(error: io::Error) -> io::Error {
    let is_system = error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted;
    if is_system { error } else { ReadFailure::Corrupt(error.to_string()).into() }
}
