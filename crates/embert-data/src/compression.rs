//! Compressed files: recognized by their first bytes, whatever their name is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::DataError;
use crate::file_kind::require_file;

/// A compression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Bzip2,
    Zip,
}

impl Compression {
    /// Returns the compression with this extension, in lower case.
    pub(crate) fn by_extension(extension: &str) -> Option<Self> {
        match extension {
            "gz" | "gzip" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstd),
            "bz2" => Some(Self::Bzip2),
            "zip" => Some(Self::Zip),
            _ => None,
        }
    }

    /// Returns the compression of a file with these first bytes.
    fn by_signature(start: &[u8]) -> Option<Self> {
        let signatures: [(&[u8], Self); 5] = [
            (&[0x1f, 0x8b], Self::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Self::Zstd),
            (b"BZh", Self::Bzip2),
            (b"PK\x03\x04", Self::Zip),
            (b"PK\x05\x06", Self::Zip), // an empty archive
        ];
        let found = signatures.iter().find(|(signature, _)| start.starts_with(signature))?;
        // A text can begin with BZh; bzip2 continues with the block size and the digits of pi, or with those of its root.
        let is_bzip2 = || matches!(start.get(3..10), Some([b'1'..=b'9', 0x31 | 0x17, ..]));
        (found.1 != Self::Bzip2 || is_bzip2()).then_some(found.1)
    }

    pub(crate) fn of_file(path: &Path) -> Result<Option<Self>, DataError> {
        require_file(path)?;
        let mut start = Vec::new();
        let file = File::open(path).map_err(DataError::io(path))?;
        file.take(10).read_to_end(&mut start).map_err(DataError::io(path))?;
        Ok(Self::by_signature(&start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions_are_recognized_by_their_first_bytes() {
        for (start, expected) in [
            (&b"\x1f\x8b\x08"[..], Some(Compression::Gzip)),
            (b"\x28\xb5\x2f\xfd", Some(Compression::Zstd)),
            (b"BZh91AY&SY", Some(Compression::Bzip2)),
            (b"BZh9\x17rE8P\x90", Some(Compression::Bzip2)), // no block: the digits of the root of pi
            (b"BZh,label\n", None),
            (b"BZh", None),
            (b"PK\x03\x04", Some(Compression::Zip)),
            (b"PAR1", None),
            (b"", None),
        ] {
            assert_eq!(Compression::by_signature(start), expected, "{start:?}");
        }
    }
}
