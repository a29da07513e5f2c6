//! Checks the format of an extension against the first bytes of the file.

#[cfg(feature = "parquet")]
use std::fs::File;
use std::path::Path;

use crate::compression::Compression;
use crate::error::DataError;
use crate::file_kind::require_file;
use crate::format::{Format, extensions};
use crate::input::{self, Bytes, TextEncoding};

impl Format {
    /// Returns the format of the extension, or an error if the first bytes contradict it.
    ///
    /// A zip archive has the format of the table in it.
    pub(crate) fn detect(path: &Path, encoding: Option<TextEncoding>) -> Result<Self, DataError> {
        require_file(path)?;
        let format = match Self::by_extension(path) {
            Err(_) if extensions(path).1 == Some(Compression::Zip) => {
                Self::by_extension(&input::table_name(path)?)
            }
            format => format,
        };
        let format = format.map_err(with_advice)?;
        let start = input::first_bytes(path, &mut format.open(path)?, 512)?;
        if start.is_empty() {
            return Err(DataError::Empty { path: path.to_path_buf() });
        }
        if let Some(found) = format.mismatch(&start) {
            return Err(DataError::WrongFormat { path: path.to_path_buf(), expected: format.name(), found });
        }
        match TextEncoding::utf16_without_mark(&start).filter(|_| encoding.is_none() && format.is_text()) {
            Some(guess) => {
                Err(DataError::UndeclaredEncoding { path: path.to_path_buf(), guess: guess.name() })
            }
            None => Ok(format),
        }
    }

    /// Opens the bytes in which the format begins. Only parquet files are not decompressed.
    fn open(self, path: &Path) -> Result<Bytes, DataError> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => Ok(Box::new(File::open(path).map_err(DataError::io(path))?)),
            _ => input::open(path),
        }
    }

    /// Returns what the file is, if its first bytes are not of this format.
    fn mismatch(self, start: &[u8]) -> Option<&'static str> {
        if let Some(found) = known_signature(start) {
            return Some(found);
        }
        let is_parquet = start.starts_with(b"PAR1");
        let is_arrow = start.starts_with(b"ARROW1");
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet if start.starts_with(b"PARE") => {
                Some("an encrypted parquet file, which cannot be read")
            }
            #[cfg(feature = "parquet")]
            Self::Parquet if is_arrow => Some("an arrow file; name it .arrow"),
            #[cfg(feature = "parquet")]
            Self::Parquet if !is_parquet => Some("a file that does not begin with PAR1"),
            #[cfg(feature = "parquet")]
            Self::Arrow if start.starts_with(b"FEA1") => {
                Some("a feather file of version 1; write version 2 (in pandas: to_feather)")
            }
            _ if is_parquet && !is_of(self, "parquet") => Some("a parquet file; name it .parquet"),
            _ if is_arrow && !is_of(self, "arrow") => Some("an arrow file; name it .arrow"),
            _ => None,
        }
    }
}

fn is_of(format: Format, name: &str) -> bool {
    format.name() == name
}

/// Adds advice for common extensions that are not supported.
fn with_advice(error: DataError) -> DataError {
    match error {
        DataError::UnknownExtension { path, extension, supported, .. } => {
            let advice = advice(&extension.to_ascii_lowercase());
            DataError::UnknownExtension { path, extension, supported, advice }
        }
        other => other,
    }
}

fn advice(extension: &str) -> &'static str {
    match extension.rsplit('.').next().unwrap_or_default() {
        _ if extension.starts_with("tar.") => "; unpack it first",
        "gz" | "gzip" | "zst" | "zstd" | "bz2" if !extension.contains('.') => {
            "; the extension before it names the format, as in .csv.gz"
        }
        "dat" | "data" => {
            "; rename a table with a header to .csv if commas separate its columns, or to .tsv if tabs do"
        }
        "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" | "numbers" => "; export the sheet as .csv (UTF-8)",
        "tgz" | "xz" | "7z" | "tar" | "rar" | "lz4" | "br" | "lzma" => "; unpack it first",
        "orc" | "avro" | "pkl" | "pickle" | "h5" | "hdf5" | "npy" | "npz" | "pt" => {
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
    } else if start.starts_with(b"\xfd7zXZ\0") {
        Some("an xz archive; unpack it first")
    } else if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
        Some("an HTML page, perhaps an error page of the server; download the file again")
    } else if text.starts_with(b"version https://git-lfs") {
        Some("a Git LFS pointer, not the file itself; run git lfs pull")
    } else {
        None
    }
}
