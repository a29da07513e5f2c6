//! Git LFS pointers: the short texts that a clone without Git LFS has in place of large files.

use std::fs;
use std::path::Path;

use crate::ModelError;

const BEGINNING: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Whether a file that begins with these bytes is a pointer; eight bytes are enough, as no other format begins so.
pub(crate) fn begins_as_pointer(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && (bytes.starts_with(BEGINNING) || BEGINNING.starts_with(bytes))
}

/// Reads a text file that must not be a pointer.
pub(crate) fn read_text(path: &Path) -> Result<String, ModelError> {
    let text = fs::read_to_string(path).map_err(|source| ModelError::File { path: path.into(), source })?;
    let is_pointer = begins_as_pointer(text.as_bytes());
    if is_pointer { Err(ModelError::LfsPointer { path: path.into() }) } else { Ok(text) }
}
