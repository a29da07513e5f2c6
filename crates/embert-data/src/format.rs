//! File formats: chosen by the extension and checked against the first bytes of the file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::DataError;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    #[cfg(feature = "parquet")]
    Parquet,
    /// csv or tsv, with its separator.
    Delimited(u8),
    Jsonl,
}

impl Format {
    /// Returns the format of the extension. Does not read the file.
    pub(crate) fn by_extension(path: &Path) -> Result<Self, DataError> {
        let extension = path.extension().map(|it| it.to_string_lossy().into_owned());
        match extension.as_deref().map(str::to_ascii_lowercase).as_deref() {
            #[cfg(feature = "parquet")]
            Some("parquet") => Ok(Self::Parquet),
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => Err(DataError::NoParquet { path: path.to_path_buf() }),
            Some("csv") => Ok(Self::Delimited(b',')),
            Some("tsv") => Ok(Self::Delimited(b'\t')),
            Some("jsonl" | "ndjson" | "jsonlines") => Ok(Self::Jsonl),
            _ => Err(DataError::UnknownExtension {
                path: path.to_path_buf(),
                extension: extension.unwrap_or_default(),
                advice: "",
            }),
        }
    }

    /// Returns the format of the extension, or an error if the first bytes contradict it.
    pub(crate) fn detect(path: &Path) -> Result<Self, DataError> {
        let format = Self::by_extension(path).map_err(with_advice)?;
        let start = first_bytes(path)?;
        if start.is_empty() {
            return Err(DataError::Empty { path: path.to_path_buf() });
        }
        match format.mismatch(&start) {
            Some(found) => {
                Err(DataError::WrongFormat { path: path.to_path_buf(), expected: format.name(), found })
            }
            None => Ok(format),
        }
    }

    fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
            Self::Delimited(b'\t') => "tsv",
            Self::Delimited(_) => "csv",
            Self::Jsonl => "jsonl (a JSON object on each line)",
        }
    }

    /// Returns what the file is, if its first bytes are not of this format.
    fn mismatch(self, start: &[u8]) -> Option<&'static str> {
        if let Some(found) = known_signature(start) {
            return Some(found);
        }
        let is_parquet = start.starts_with(b"PAR1");
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet if start.starts_with(b"PARE") => {
                Some("an encrypted parquet file, which cannot be read")
            }
            #[cfg(feature = "parquet")]
            Self::Parquet if !is_parquet => Some("a file that does not begin with PAR1"),
            Self::Delimited(_) | Self::Jsonl if is_parquet => Some("a parquet file; name it .parquet"),
            Self::Jsonl if start.trim_ascii_start().starts_with(b"[") => {
                Some("a JSON array; write one object per line")
            }
            _ => None,
        }
    }
}

/// Adds advice for common extensions that are not supported.
fn with_advice(error: DataError) -> DataError {
    match error {
        DataError::UnknownExtension { path, extension, .. } => {
            let advice = advice(&extension.to_ascii_lowercase());
            DataError::UnknownExtension { path, extension, advice }
        }
        other => other,
    }
}

fn advice(extension: &str) -> &'static str {
    match extension {
        "json" => {
            "; write one object per line and name it .jsonl (in pandas: to_json(path, orient=\"records\", lines=True))"
        }
        "txt" | "text" | "dat" | "data" => {
            "; rename a table with a header to .csv if commas separate its columns, or to .tsv if tabs do"
        }
        "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" | "numbers" => "; export the sheet as .csv (UTF-8)",
        "gz" | "tgz" | "zip" | "zst" | "bz2" | "xz" | "7z" | "tar" | "rar" | "lz4" | "br" => {
            "; unpack it first"
        }
        "arrow" | "feather" | "orc" | "avro" | "pkl" | "pickle" | "h5" | "hdf5" | "npy" | "npz" | "pt" => {
            "; write it as .parquet (in pandas: to_parquet)"
        }
        "db" | "sqlite" | "sqlite3" | "dta" | "sav" | "sas7bdat" | "xml" | "yaml" | "yml" | "html" => {
            "; export the table as .csv"
        }
        "pq" | "parq" => "; rename it to .parquet",
        _ => "",
    }
}

/// Recognizes formats that are often mistaken for a table.
fn known_signature(start: &[u8]) -> Option<&'static str> {
    let text = start.trim_ascii_start().to_ascii_lowercase();
    if start.starts_with(&[0x1f, 0x8b]) {
        Some("a gzip archive; unpack it first")
    } else if start.starts_with(b"PK\x03\x04") {
        Some("a zip archive; unpack it first")
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Some("a zstandard archive; unpack it first")
    } else if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        Some("UTF-16 text; save it as UTF-8")
    } else if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
        Some("an HTML page, perhaps an error page of the server; download the file again")
    } else if text.starts_with(b"version https://git-lfs") {
        Some("a Git LFS pointer, not the file itself; run git lfs pull")
    } else {
        None
    }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut start = Vec::with_capacity(512);
    let file = File::open(path).map_err(DataError::io(path))?;
    file.take(512).read_to_end(&mut start).map_err(DataError::io(path))?;
    Ok(start)
}
