//! Turns panics of decoders into errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::error::DataError;

/// Returns an error if `read` panics: the decoders of parquet and arrow panic on some corrupt files.
pub(crate) fn catch_panics<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = format!("the decoder panicked: {}", message.unwrap_or("without a message"));
        Err(DataError::Corrupt { path: path.to_path_buf(), reason })
    })
}
