//! The bytes of an input file: decompressed, limited, and decoded to UTF-8.

mod decoder;
mod decompress;
mod encoding;
mod failure;
mod limited;
mod zip;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use crate::compression::Compression;
use crate::error::DataError;
use decoder::Decoder;
use decompress::decompress;
pub use encoding::TextEncoding;
pub(crate) use encoding::guess_encoding;
pub(crate) use failure::read_error;
use limited::Limited;
pub(crate) use zip::table_name;

/// The bytes of a file.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// Opens a file. Decompresses it if its first bytes are those of a supported compression.
pub(crate) fn open(path: &Path) -> Result<Bytes, DataError> {
    match Compression::of_file(path)? {
        None => Ok(Box::new(File::open(path).map_err(DataError::io(path))?)),
        Some(compression) => Ok(Box::new(Limited::new(path, decompress(compression, path)?)?)),
    }
}

/// Opens a text file and decodes it. A byte order mark decides; without one, `encoding` does; UTF-8 is the default.
///
/// UTF-8 is not checked.
pub(crate) fn open_text(path: &Path, encoding: Option<TextEncoding>) -> Result<Bytes, DataError> {
    let mut bytes = open(path)?;
    let mut start = first_bytes(path, &mut bytes, 3)?;
    let encoding = match TextEncoding::of_byte_order_mark(&start) {
        Some((encoding, length)) => {
            start.drain(..length);
            encoding
        }
        None => encoding.unwrap_or_default(),
    };
    let bytes = Cursor::new(start).chain(bytes);
    Ok(if encoding.is_utf8() { Box::new(bytes) } else { Box::new(Decoder::new(bytes, encoding)) })
}

/// Reads up to `count` bytes.
pub(crate) fn first_bytes(path: &Path, bytes: &mut Bytes, count: u64) -> Result<Vec<u8>, DataError> {
    let mut start = Vec::new();
    bytes.take(count).read_to_end(&mut start).map_err(|error| read_error(path, 0, error))?;
    Ok(start)
}
