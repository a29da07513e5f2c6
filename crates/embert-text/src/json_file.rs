//! Reads the JSON files of a tokenizer.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Result, TextError};

/// The start of a Git LFS pointer, which a clone without Git LFS has in place of a large file.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Reads the bytes of a file. A Git LFS pointer is an error.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|source| TextError::Read { path: path.to_owned(), source })?;
    if bytes.starts_with(LFS_POINTER) {
        return Err(TextError::LfsPointer { path: path.to_owned() });
    }
    Ok(bytes)
}

/// Reads a JSON file; returns `null` if it does not exist.
pub(crate) fn read_json_if_exists(path: &Path) -> Result<Value> {
    if path.is_file() { parse_json(&read(path)?, path) } else { Ok(Value::Null) }
}

/// Parses the bytes of a JSON file. The path is for the error.
pub(crate) fn parse_json(bytes: &[u8], path: &Path) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| TextError::Malformed {
        origin: path.display().to_string(),
        reason: format!("not JSON: {error}"),
    })
}
