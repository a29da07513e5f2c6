//! Reasons why a PyTorch file is not read.

use std::io;
use std::path::Path;

use crate::ModelError;

/// The reason why a file is not read, without its path.
#[derive(Debug)]
pub(super) enum Problem {
    /// The file cannot be read.
    File(io::Error),
    /// The file is invalid.
    Damaged(String),
    /// The file has something that a state dict does not need.
    Refused(String),
}

impl Problem {
    /// Adds the path of the file.
    pub(super) fn at(self, path: &Path) -> ModelError {
        let path = path.into();
        match self {
            Self::File(source) => ModelError::File { path, source },
            Self::Damaged(reason) => ModelError::Corrupt { path, format: "PyTorch", reason },
            Self::Refused(reason) => ModelError::NotAStateDict { path, reason },
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("the file ends too early"),
            _ => Self::File(error),
        }
    }
}

pub(super) fn damaged(reason: impl Into<String>) -> Problem {
    Problem::Damaged(reason.into())
}

pub(super) fn refused(reason: impl Into<String>) -> Problem {
    Problem::Refused(reason.into())
}

/// Quotes a name from a file: escapes control characters and cuts long names.
pub(super) fn quoted(name: &str) -> String {
    const MAX_SHOWN: usize = 100;
    match name.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{:?}...", &name[..end]),
        None => format!("{name:?}"),
    }
}
