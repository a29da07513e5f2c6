//! Reading the files of a tokenizer.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Result, TextError};

/// How a Git LFS pointer begins: the text that a clone without Git LFS has in place of a file.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The bytes of a file; an error for a Git LFS pointer in its place.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|source| TextError::Read { path: path.to_owned(), source })?;
    match bytes.starts_with(LFS_POINTER) {
        true => Err(TextError::LfsPointer { path: path.to_owned() }),
        false => Ok(bytes),
    }
}

/// `null` for a file that does not exist.
pub(crate) fn read_json_if_there(path: &Path) -> Result<Value> {
    if path.is_file() { parse_json(&read(path)?, path) } else { Ok(Value::Null) }
}

/// The value in the bytes of this file.
pub(crate) fn parse_json(bytes: &[u8], path: &Path) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| TextError::Broken {
        origin: path.display().to_string(),
        reason: format!("not JSON: {error}"),
    })
}
