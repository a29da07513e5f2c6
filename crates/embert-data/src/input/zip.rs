//! The one table in a zip archive.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Crc;
use zip::{CompressionMethod, ZipArchive};

use super::Bytes;
use super::failure::ReadFailure;
use crate::error::DataError;
use crate::format::Format;
use crate::formatting::quoted;

/// Maximum number of members of an archive.
const MAX_MEMBERS: usize = 10_000;

/// The table in an archive.
struct Member {
    index: usize,
    name: PathBuf,
}

/// Returns the name of the table in an archive.
pub(crate) fn table_name(path: &Path) -> Result<PathBuf, DataError> {
    Ok(find_table(path, &mut open_archive(path)?)?.name)
}

/// Returns the decompressed bytes of the table in an archive. Its checksum is checked at its end.
pub(super) fn open_table(path: &Path) -> Result<Bytes, DataError> {
    let mut archive = open_archive(path)?;
    let member = find_table(path, &mut archive)?;
    let entry = archive.by_index_raw(member.index).map_err(|error| corrupt(path, &error))?;
    if entry.encrypted() {
        let (path, found) = (path.to_path_buf(), "an encrypted zip archive; unpack it first");
        return Err(DataError::WrongFormat { path, expected: "a zip archive without a password", found });
    }
    let start = entry.data_start().ok_or_else(|| corrupt(path, &"a member has no data"))?;
    let (length, expected, method) = (entry.compressed_size(), entry.crc32(), entry.compression());
    drop(entry);
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(DataError::io(path))?;
    let compressed = file.take(length);
    let bytes: Bytes = match method {
        CompressionMethod::STORE => Box::new(compressed),
        CompressionMethod::DEFLATE => Box::new(flate2::bufread::DeflateDecoder::new(compressed)),
        CompressionMethod::BZIP2 => Box::new(bzip2::bufread::BzDecoder::new(compressed)),
        CompressionMethod::ZSTD => {
            let decoder = zstd::Decoder::with_buffer(compressed);
            Box::new(decoder.map_err(DataError::io(path))?)
        }
        _ => {
            let (path, found) = (path.to_path_buf(), "another compression; unpack it first");
            return Err(DataError::WrongFormat { path, expected: "a zip archive with deflate", found });
        }
    };
    Ok(Box::new(Checked { bytes, crc: Crc::new(), expected }))
}

fn open_archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| corrupt(path, &error))?;
    if archive.len() > MAX_MEMBERS {
        return Err(corrupt(path, &format!("more than {MAX_MEMBERS} members")));
    }
    Ok(archive)
}

/// Finds the only member with the extension of a table, or the only member.
fn find_table(path: &Path, archive: &mut ZipArchive<BufReader<File>>) -> Result<Member, DataError> {
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| corrupt(path, &error))?;
        let name = entry.name().map_err(|error| corrupt(path, &error))?.into_owned();
        if entry.is_file() && !is_hidden(&name) {
            members.push(Member { index, name: PathBuf::from(name) });
        }
    }
    let names = members.iter().map(|member| member.name.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let is_table = |member: &Member| Format::by_extension(&member.name).is_ok();
    let mut tables = members.into_iter().filter(|member| names.len() == 1 || is_table(member));
    match (tables.next(), tables.next()) {
        (Some(table), None) => Ok(table),
        _ => {
            let found = quoted(names.iter().map(String::as_str));
            Err(DataError::ZipMembers { path: path.to_path_buf(), found })
        }
    }
}

/// Returns true for hidden files, and for the metadata that macOS adds.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX")
}

fn corrupt(path: &Path, error: &dyn std::fmt::Display) -> DataError {
    DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() }
}

/// Bytes whose checksum is compared at the end.
struct Checked {
    bytes: Bytes,
    crc: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.crc.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.crc.sum() != self.expected {
            return Err(ReadFailure::Corrupt("the checksum differs".to_owned()).into());
        }
        Ok(count)
    }
}
