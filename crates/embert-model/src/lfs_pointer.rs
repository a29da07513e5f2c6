//! Git LFS pointers: small text files that replace large files in a clone without Git LFS.

use std::fs;
use std::path::Path;

use crate::ModelError;

const PREFIX: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Returns true if a file that begins with these bytes is a Git LFS pointer. Needs at least eight bytes.
pub(crate) fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && (bytes.starts_with(PREFIX) || PREFIX.starts_with(bytes))
}

/// Reads a text file; fails if it is a Git LFS pointer.
pub(crate) fn read_text(path: &Path) -> Result<String, ModelError> {
    let text = fs::read_to_string(path).map_err(|source| ModelError::File { path: path.into(), source })?;
    let is_pointer = is_lfs_pointer(text.as_bytes());
    if is_pointer { Err(ModelError::LfsPointer { path: path.into() }) } else { Ok(text) }
}
