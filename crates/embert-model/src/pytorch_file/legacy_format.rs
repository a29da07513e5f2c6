//! The format of PyTorch before version 1.6: five pickles, then the bytes of the storages.
//!
//! The pickles are a magic number, the version 1001, the system, the state dict, and a list of the keys of the
//! storages. Each storage is its number of values (i64) and the values, in the order of the keys.
//! Source: `_legacy_save` in `torch/serialization.py` of PyTorch.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::objects::{Objects, Value};
use super::pickle::{MAX_LENGTH, read_pickle};
use super::problem::{Problem, damaged, quoted, refused};
use super::state_dict::{Storages, tensors};
use crate::stored_tensor::StoredTensor;

/// End of the first pickle: the opcode `LONG1`, its length, the magic number and `STOP`.
const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

const VERSION: Value = Value::Int(1001);

/// Returns the length of the first pickle if a file that begins with these bytes has this format.
///
/// `PROTO` precedes the magic number, and `FRAME` since protocol 4.
pub(super) fn length_of_magic(head: &[u8]) -> Option<u64> {
    let begin = [2, 11].into_iter().find(|&begin| head.get(begin..).is_some_and(|h| h.starts_with(MAGIC)))?;
    Some((begin + MAGIC.len()) as u64)
}

/// Reads the names and locations of all tensors. `begin` is the position of the second pickle.
pub(super) fn read(
    path: &Path,
    mut file: File,
    size: u64,
    begin: u64,
) -> Result<Vec<(String, StoredTensor)>, Problem> {
    file.seek(SeekFrom::Start(begin))?;
    let limit = MAX_LENGTH.min(size.saturating_sub(begin));
    let mut input = BufReader::new(file).take(limit);
    if read_pickle(&mut input)?.1 != VERSION {
        return Err(damaged("its version is not 1001"));
    }
    check_system(read_pickle(&mut input)?)?;
    let (objects, root) = read_pickle(&mut input)?;
    let keys = keys(read_pickle(&mut input)?)?;
    let begin = begin + limit - input.limit();
    let storages = storages(&mut input.into_inner(), begin..size, &value_sizes(&objects)?, keys)?;
    tensors(path, &objects, root, &storages)
}

fn check_system((mut objects, root): (Objects, Value)) -> Result<(), Problem> {
    let system = std::mem::take(objects.dict(root)?);
    let is_little_endian = |&(key, value): &(Value, Value)| {
        objects.str(key).is_ok_and(|key| key == "little_endian") && value == Value::Bool(true)
    };
    if system.iter().any(is_little_endian) {
        Ok(())
    } else {
        Err(refused("its byte order is not little-endian"))
    }
}

fn keys((mut objects, root): (Objects, Value)) -> Result<Vec<String>, Problem> {
    let keys = std::mem::take(objects.list(root)?);
    keys.into_iter().map(|key| objects.str(key).map(String::from)).collect()
}

/// Returns the number of bytes of a value in each storage.
fn value_sizes(objects: &Objects) -> Result<BTreeMap<&str, u64>, Problem> {
    let mut sizes = BTreeMap::new();
    for storage in &objects.storages {
        let (key, size) = (&*objects.strings[storage.key], storage.dtype.bitsize() as u64 / 8);
        if *sizes.entry(key).or_insert(size) != size {
            return Err(damaged(format!("the storage {} has two dtypes", quoted(key))));
        }
    }
    Ok(sizes)
}

/// Returns the bytes of each storage in `bytes`, which they must fill.
fn storages(
    file: &mut BufReader<File>,
    bytes: std::ops::Range<u64>,
    value_sizes: &BTreeMap<&str, u64>,
    keys: Vec<String>,
) -> Result<Storages, Problem> {
    let (mut position, mut storages) = (bytes.start, Storages::new());
    for key in keys {
        let invalid = || damaged(format!("the storage {} does not fit in the file", quoted(&key)));
        file.seek(SeekFrom::Start(position))?;
        let mut num_values = [0; 8];
        file.read_exact(&mut num_values)?;
        let begin = position + 8;
        let value_size = value_sizes.get(&*key).ok_or_else(invalid)?;
        let length = u64::from_le_bytes(num_values).checked_mul(*value_size).ok_or_else(invalid)?;
        position = begin.checked_add(length).filter(|&end| end <= bytes.end).ok_or_else(invalid)?;
        if storages.insert(key.clone(), begin..position).is_some() {
            return Err(damaged(format!("the storage {} is in the file twice", quoted(&key))));
        }
    }
    if position == bytes.end {
        Ok(storages)
    } else {
        Err(damaged(format!("the storages end at byte {position}, but the file has {}", bytes.end)))
    }
}
