//! Reader of `pytorch_model.bin` and `adapter_model.bin`, state dicts written by `torch.save`. It executes nothing.
//!
//! The file is a pickle and the bytes of its tensors, in the `zip_format` or the `legacy_format`. `pickle` reads the
//! opcodes and the `globals` of state dicts and refuses all others, so a file cannot run code. `state_dict` turns the
//! objects into the locations of tensors. Values are read later, one tensor at a time.

mod calls;
mod globals;
mod legacy_format;
mod objects;
mod opcodes;
mod pickle;
mod problem;
mod state_dict;
mod zip_format;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::ModelError;
use crate::lfs_pointer::is_lfs_pointer;
use crate::stored_tensor::StoredTensor;
use problem::{Problem, damaged};

/// Reads the names and locations of all tensors.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, StoredTensor)>, ModelError> {
    let head = head(path).map_err(|problem| problem.at(path))?;
    if is_lfs_pointer(&head) {
        return Err(ModelError::LfsPointer { path: path.into() });
    }
    tensors(path, &head).map_err(|problem| problem.at(path))
}

/// Returns the first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, Problem> {
    let mut head = vec![];
    File::open(path).map_err(Problem::File)?.take(64).read_to_end(&mut head)?;
    Ok(head)
}

fn tensors(path: &Path, head: &[u8]) -> Result<Vec<(String, StoredTensor)>, Problem> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if head.starts_with(zip_format::MAGIC) {
        zip_format::read(path, file)
    } else if let Some(begin) = legacy_format::length_of_magic(head) {
        legacy_format::read(path, file, size, begin)
    } else {
        Err(damaged(format!("its {size} bytes were not written by torch.save")))
    }
}
