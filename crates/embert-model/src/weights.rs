//! Tensors in the files of a checkpoint, read one at a time.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::ModelError;
use crate::lfs_pointer::read_text;
use crate::stored_tensor::StoredTensor;
use crate::unsupported_formats::no_weights;
use crate::{pytorch_file, safetensors_header};

/// Reads the names and locations of all tensors in a file.
pub(crate) type ReadHeader = fn(&Path) -> Result<Vec<(String, StoredTensor)>, ModelError>;

/// File name, name of the index of shards, and reader. The first format that exists is read.
const FORMATS: [(&str, &str, ReadHeader); 2] = [
    ("model.safetensors", "model.safetensors.index.json", safetensors_header::read),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", pytorch_file::read),
];

/// The tensors of a checkpoint by name: their location and shape, not their values.
pub(crate) struct Weights {
    tensors: BTreeMap<String, StoredTensor>,
}

impl Weights {
    /// Reads the headers of `model.safetensors`, of `pytorch_model.bin`, or of the shards in an index.
    pub(crate) fn open(directory: &Path) -> Result<Self, ModelError> {
        let (files, read_header) = files(directory)?;
        let mut tensors = BTreeMap::new();
        for path in files {
            for (name, tensor) in read_header(&path)? {
                if let Some(first) = tensors.insert(name.clone(), tensor) {
                    let reason = format!("{name} is also in {}", first.path.display());
                    return Err(ModelError::Shards { path, reason });
                }
            }
        }
        Ok(Self { tensors })
    }

    /// Reads the header of one file.
    pub(crate) fn open_file(path: &Path, read_header: ReadHeader) -> Result<Self, ModelError> {
        Ok(Self { tensors: read_header(path)?.into_iter().collect() })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Returns the number of values in the files. Values that tensors share count once.
    pub(crate) fn num_values(&self) -> u128 {
        let storages = self.tensors.values().map(|tensor| {
            let bits = u128::from(tensor.storage.end - tensor.storage.start) * 8;
            ((&tensor.path, tensor.storage.start), bits / tensor.dtype.bitsize() as u128)
        });
        storages.collect::<BTreeMap<_, _>>().into_values().sum()
    }

    /// Returns the tensor with the first of these names that exists.
    pub(crate) fn find(&self, names: &[String]) -> Option<(&str, &StoredTensor)> {
        names
            .iter()
            .find_map(|name| self.tensors.get_key_value(name))
            .map(|(name, tensor)| (name.as_str(), tensor))
    }
}

/// Returns the files with the weights of a checkpoint directory, and their reader.
fn files(directory: &Path) -> Result<(Vec<PathBuf>, ReadHeader), ModelError> {
    for (single, index, read_header) in FORMATS {
        let [single, index] = [single, index].map(|name| directory.join(name));
        if single.is_file() {
            return Ok((vec![single], read_header));
        }
        if index.is_file() {
            return Ok((shards(&index)?, read_header));
        }
    }
    Err(no_weights(directory))
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
        return Err(ModelError::Shards { path: index.into(), reason });
    }
    Ok(files.into_iter().map(|file| index.with_file_name(file)).collect())
}
