//! The header of a safetensors file: names, shapes and locations of its tensors.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::tensor::Metadata;

use crate::ModelError;
use crate::lfs_pointer::is_lfs_pointer;
use crate::stored_tensor::StoredTensor;

/// Maximum header length of the format.
const MAX_HEADER: u64 = 100_000_000;

/// Reads the names and locations of all tensors.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, StoredTensor)>, ModelError> {
    let file_error = |source| ModelError::File { path: path.into(), source };
    let corrupt = |reason: String| ModelError::Corrupt { path: path.into(), format: "safetensors", reason };
    let mut file = File::open(path).map_err(file_error)?;
    let size = file.metadata().map_err(file_error)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| corrupt(format!("the file has {size} bytes, which is too short for a header")))?;
    if is_lfs_pointer(&length) {
        return Err(ModelError::LfsPointer { path: path.into() });
    }
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length + 8 > size {
        return Err(corrupt(format!("a header of {length} bytes does not fit in a file of {size} bytes")));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(file_error)?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|e| corrupt(format!("header: {e}")))?;
    let expected = (length + 8).saturating_add(metadata.data_len() as u64);
    if expected != size {
        return Err(corrupt(format!("the header describes {expected} bytes, but the file has {size}")));
    }
    // `Metadata` has checked that tensors follow each other without gaps and that sizes match shapes and
    // dtypes.
    let stored = metadata.tensors().into_iter().map(|(name, info)| {
        let (begin, end) = info.data_offsets;
        let storage = length + 8 + begin as u64..length + 8 + end as u64;
        (name, StoredTensor::contiguous(path.into(), info.shape.clone(), info.dtype, storage))
    });
    Ok(stored.collect())
}
