//! Refuses pipes, sockets and devices as files: a file is opened more than once, and opening a pipe waits for a writer.

use std::fs::FileType;
use std::path::Path;

use crate::error::DataError;

/// Fails for a pipe, a socket or a device. Does not open the path; other errors are those of opening it.
pub(crate) fn require_file(path: &Path) -> Result<(), DataError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    if metadata.is_file() || metadata.is_dir() {
        return Ok(());
    }
    Err(DataError::NotAFile { path: path.to_path_buf(), found: name(metadata.file_type()) })
}

#[cfg(unix)]
fn name(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn name(_: FileType) -> &'static str {
    "a device"
}
