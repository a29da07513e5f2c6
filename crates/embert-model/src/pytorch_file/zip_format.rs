//! The format of PyTorch since version 1.6: a zip archive whose members are stored without compression.
//!
//! `NAME/data.pkl` is the pickle, `NAME/data/KEY` are the bytes of a storage, and `NAME/byteorder` is `little`.
//! Source: `caffe2/serialize/inline_container.h` and `torch/serialization.py` of PyTorch.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::pickle::{MAX_LENGTH, read_pickle};
use super::problem::{Problem, damaged, quoted, refused};
use super::state_dict::{Storages, tensors};
use crate::stored_tensor::StoredTensor;

/// The first bytes of the format.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// Reads the names and locations of all tensors.
pub(super) fn read(path: &Path, file: File) -> Result<Vec<(String, StoredTensor)>, Problem> {
    let (mut input, mut members) = open(BufReader::new(file))?;
    let pickle = members.remove("data.pkl").ok_or_else(|| damaged("the archive has no data.pkl"))?;
    if let Some(byte_order) = members.remove("byteorder") {
        check_byte_order(&mut input, &byte_order)?;
    }
    let length = pickle.end - pickle.start;
    if length > MAX_LENGTH {
        return Err(damaged(format!("data.pkl has {length} bytes, more than {MAX_LENGTH}")));
    }
    input.seek(SeekFrom::Start(pickle.start))?;
    let (objects, root) = read_pickle(&mut input.take(length))?;
    let storages = members.into_iter().filter_map(|(name, bytes)| {
        let key = name.strip_prefix("data/")?;
        Some((key.to_owned(), bytes))
    });
    tensors(path, &objects, root, &storages.collect::<Storages>())
}

/// The range of the bytes of each member, by its name without the top folder.
type Members = BTreeMap<String, Range<u64>>;

/// Returns the archive and its members.
fn open(file: BufReader<File>) -> Result<(BufReader<File>, Members), Problem> {
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(config, file)?;
    // Overlapping members would let a small file hold many large tensors.
    if archive.has_duplicate_names() || archive.has_overlapping_files()? {
        return Err(damaged("members of the archive overlap"));
    }
    let mut members = Members::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index)?;
        let name = member.name()?.into_owned();
        let is_stored = member.compression() == CompressionMethod::STORE && !member.encrypted();
        if !is_stored || member.size() != member.compressed_size() {
            return Err(damaged(format!("{} is compressed or encrypted", quoted(&name))));
        }
        let start = member.data_start().ok_or_else(|| damaged("a member has no data"))?;
        if let Some((_folder, name)) = name.split_once('/') {
            members.insert(name.to_owned(), start..start + member.size());
        }
    }
    Ok((archive.into_inner(), members))
}

fn check_byte_order(input: &mut BufReader<File>, member: &Range<u64>) -> Result<(), Problem> {
    const LITTLE: &[u8] = b"little";
    input.seek(SeekFrom::Start(member.start))?;
    let mut found = vec![];
    let length = (member.end - member.start).min(LITTLE.len() as u64 + 1);
    input.by_ref().take(length).read_to_end(&mut found)?;
    if found == LITTLE { Ok(()) } else { Err(refused("its byte order is not little-endian")) }
}

impl From<ZipError> for Problem {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            other => damaged(other.to_string()),
        }
    }
}
