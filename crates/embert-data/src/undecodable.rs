//! Errors of undecodable text, with the encoding that the file probably has.

use std::path::Path;

use crate::error::DataError;
use crate::input::guess_encoding;

impl DataError {
    /// Returns the error for a line that is not text in `encoding`. Guesses the encoding of UTF-8 files.
    pub(crate) fn undecodable(path: &Path, row: usize, encoding: String, failed: &[u8]) -> Self {
        Self::Undecodable { path: path.to_path_buf(), row, encoding, guess: None }.with_guess(failed)
    }

    /// Adds the encoding that the file probably has. `failed` is the text that is not UTF-8.
    pub(crate) fn with_guess(mut self, failed: &[u8]) -> Self {
        if let Self::NotUtf8 { path, guess, .. } | Self::Undecodable { path, guess, .. } = &mut self {
            *guess = guess_encoding(path, failed);
        }
        self
    }
}
