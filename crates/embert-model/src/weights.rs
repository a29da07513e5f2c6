//! Tensors in the safetensors files of a checkpoint, read one at a time.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::ModelError;
use crate::lfs_pointer::{is_lfs_pointer, read_text};
use crate::unsupported_formats::no_weights;

/// Maximum header length of the format.
const MAX_HEADER: u64 = 100_000_000;

/// The tensors of a checkpoint by name: their location and shape, not their values.
pub(crate) struct Weights {
    tensors: BTreeMap<String, StoredTensor>,
}

/// Location, shape and dtype of one tensor in a file.
pub(crate) struct StoredTensor {
    pub(crate) path: PathBuf,
    pub(crate) shape: Vec<usize>,
    dtype: Dtype,
    begin: u64,
    len: usize,
}

impl Weights {
    /// Reads the headers of `model.safetensors`, or of the shards in its index.
    pub(crate) fn open(directory: &Path) -> Result<Self, ModelError> {
        let mut tensors = BTreeMap::new();
        for path in files(directory)? {
            for (name, tensor) in read_header(&path)? {
                if let Some(first) = tensors.insert(name.clone(), tensor) {
                    let reason = format!("{name} is also in {}", first.path.display());
                    return Err(ModelError::Corrupt { path, reason });
                }
            }
        }
        Ok(Self { tensors })
    }

    /// Reads the header of one safetensors file.
    pub(crate) fn open_file(path: &Path) -> Result<Self, ModelError> {
        Ok(Self { tensors: read_header(path)?.into_iter().collect() })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Returns the number of values in all tensors.
    pub(crate) fn num_values(&self) -> u128 {
        let values = |tensor: &StoredTensor| tensor.shape.iter().map(|&n| n as u128).product::<u128>();
        self.tensors.values().map(values).sum()
    }

    /// Returns the tensor with the first of these names that exists.
    pub(crate) fn find(&self, names: &[String]) -> Option<(&str, &StoredTensor)> {
        names
            .iter()
            .find_map(|name| self.tensors.get_key_value(name))
            .map(|(name, tensor)| (name.as_str(), tensor))
    }
}

impl StoredTensor {
    /// Reads the values as f32. Fails if one of them is not finite.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let values = self.read_as_f32(name)?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(ModelError::NotFinite { path: self.path.clone(), name: name.into() })
        }
    }

    fn read_as_f32(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let bytes =
            self.read_bytes().map_err(|source| ModelError::File { path: self.path.clone(), source })?;
        match self.dtype {
            Dtype::F32 => Ok(convert(&bytes, f32::from_le_bytes)),
            Dtype::F16 => Ok(convert(&bytes, |bytes| f16::from_le_bytes(bytes).to_f32())),
            Dtype::BF16 => Ok(convert(&bytes, |bytes| bf16::from_le_bytes(bytes).to_f32())),
            other => {
                let found = format!("{other:?}");
                Err(ModelError::Type { path: self.path.clone(), name: name.into(), found })
            }
        }
    }

    fn read_bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.begin))?;
        let mut bytes = vec![0; self.len];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn convert<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<N>();
    values.iter().map(|&bytes| value(bytes)).collect()
}

/// Returns the safetensors files of a checkpoint directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let single = directory.join("model.safetensors");
    let index = directory.join("model.safetensors.index.json");
    if single.is_file() {
        Ok(vec![single])
    } else if index.is_file() {
        shards(&index)
    } else {
        Err(no_weights(directory))
    }
}

/// Returns the files in an index, each once. They must be in the directory of the index.
fn shards(index: &Path) -> Result<Vec<PathBuf>, ModelError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = read_text(index)?;
    let index_file: Index =
        serde_json::from_str(&text).map_err(|source| ModelError::Json { path: index.into(), source })?;
    let mut files = index_file.weight_map.into_values().collect::<Vec<_>>();
    files.sort();
    files.dedup();
    if let Some(file) = files.iter().find(|file| Path::new(file).file_name() != Some(OsStr::new(file))) {
        let reason = format!("weight_map names {file:?}, which is not a file in the directory of the index");
        return Err(ModelError::Corrupt { path: index.into(), reason });
    }
    Ok(files.into_iter().map(|file| index.with_file_name(file)).collect())
}

fn read_header(path: &Path) -> Result<Vec<(String, StoredTensor)>, ModelError> {
    let file_error = |source| ModelError::File { path: path.into(), source };
    let corrupt = |reason: String| ModelError::Corrupt { path: path.into(), reason };
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
        let (shape, begin, len) = (info.shape.clone(), length + 8 + begin as u64, end - begin);
        (name, StoredTensor { path: path.into(), shape, dtype: info.dtype, begin, len })
    });
    Ok(stored.collect())
}
