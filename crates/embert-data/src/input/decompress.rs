//! Decompresses files.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::{Bytes, zip};
use crate::compression::Compression;
use crate::error::DataError;

/// Returns the decompressed bytes of a file.
pub(super) fn decompress(compression: Compression, path: &Path) -> Result<Bytes, DataError> {
    let file = || File::open(path).map(BufReader::new).map_err(DataError::io(path));
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file()?)),
        Compression::Zstd => {
            let decoder = zstd::Decoder::with_buffer(file()?);
            Box::new(decoder.map_err(DataError::io(path))?)
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file()?)),
        Compression::Zip => zip::open_table(path)?,
    })
}
