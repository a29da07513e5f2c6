//! File formats, chosen by the extension of the file.

use std::path::Path;

use crate::compression::Compression;
use crate::error::DataError;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    #[cfg(feature = "parquet")]
    Parquet,
    /// Arrow IPC: a file or a stream.
    #[cfg(feature = "parquet")]
    Arrow,
    /// csv, tsv or psv, with its separator.
    Delimited(u8),
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// One text per line.
    Text,
}

/// Extensions of input files, for messages.
const INPUTS: &str = ".parquet, .arrow, .csv, .tsv, .json, .jsonl, .txt";
/// Extensions of output files, for messages.
const OUTPUTS: &str = ".parquet, .arrow, .csv, .tsv, .jsonl";

impl Format {
    /// Returns the format of the extension, ignoring an extension of a compression. Does not read the file.
    pub(crate) fn by_extension(path: &Path) -> Result<Self, DataError> {
        let (extension, _) = extensions(path);
        #[cfg(not(feature = "parquet"))]
        require_no_arrow(path, &extension)?;
        Self::of_extension(&extension).ok_or_else(|| unknown_extension(path, INPUTS))
    }

    /// Returns the format of an output file.
    pub(crate) fn of_output(path: &Path) -> Result<Self, DataError> {
        let (extension, compression) = extensions(path);
        #[cfg(not(feature = "parquet"))]
        require_no_arrow(path, &extension)?;
        match Self::of_extension(&extension) {
            Some(format) if compression.is_none() && !matches!(format, Self::Json | Self::Text) => Ok(format),
            _ => Err(unknown_extension(path, OUTPUTS)),
        }
    }

    fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            #[cfg(feature = "parquet")]
            "parquet" => Self::Parquet,
            #[cfg(feature = "parquet")]
            "arrow" | "feather" | "ipc" => Self::Arrow,
            "csv" => Self::Delimited(b','),
            "tsv" | "tab" => Self::Delimited(b'\t'),
            "psv" => Self::Delimited(b'|'),
            "json" => Self::Json,
            "jsonl" | "ndjson" | "jsonlines" => Self::Jsonl,
            "txt" | "text" => Self::Text,
            _ => return None,
        })
    }

    /// Returns true for formats of text, which may have encodings.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Delimited(_) | Self::Json | Self::Jsonl | Self::Text)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
            #[cfg(feature = "parquet")]
            Self::Arrow => "arrow",
            Self::Delimited(b'\t') => "tsv",
            Self::Delimited(b'|') => "psv",
            Self::Delimited(_) => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl (a JSON object on each line)",
            Self::Text => "txt (a text on each line)",
        }
    }
}

#[cfg(not(feature = "parquet"))]
fn require_no_arrow(path: &Path, extension: &str) -> Result<(), DataError> {
    match extension {
        "parquet" | "arrow" | "feather" | "ipc" => Err(DataError::NoParquet { path: path.to_path_buf() }),
        _ => Ok(()),
    }
}

/// Returns the extension of a format in lower case, and the compression of an extension after it.
pub(crate) fn extensions(path: &Path) -> (String, Option<Compression>) {
    let lower = |path: &Path| path.extension().map(|it| it.to_string_lossy().to_ascii_lowercase());
    let last = lower(path).unwrap_or_default();
    match Compression::by_extension(&last) {
        None => (last, None),
        Some(compression) => (lower(&path.with_extension("")).unwrap_or_default(), Some(compression)),
    }
}

fn unknown_extension(path: &Path, supported: &'static str) -> DataError {
    let (inner, _) = extensions(path);
    let last = path.extension().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let extension =
        if inner.is_empty() || last.eq_ignore_ascii_case(&inner) { last } else { format!("{inner}.{last}") };
    DataError::UnknownExtension { path: path.to_path_buf(), extension, supported, advice: "" }
}
