//! The tensors of a state dict: checks names, shapes and locations before anything is read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::objects::{Objects, Storage, Tensor, Value};
use super::problem::{Problem, damaged, quoted, refused};
use crate::stored_tensor::{StoredTensor, span};

/// Maximum number of dimensions. Weights of encoders have at most two.
const MAX_DIMENSIONS: usize = 8;

/// Bytes of each storage in the file, by its key.
pub(super) type Storages = BTreeMap<String, Range<u64>>;

/// Returns the names and locations of the tensors in the dict at the top level of a pickle.
pub(super) fn tensors(
    path: &Path,
    objects: &Objects,
    root: Value,
    storages: &Storages,
) -> Result<Vec<(String, StoredTensor)>, Problem> {
    let Value::Dict(dict) = root else {
        return Err(refused(format!("its top level is {}, not a dict", root.type_name())));
    };
    let mut names = BTreeSet::new();
    let mut tensors = vec![];
    for &(key, value) in &objects.dicts[dict] {
        let Value::Str(name) = key else {
            return Err(refused(format!("a key of its dict is {}, not a str", key.type_name())));
        };
        let name = &*objects.strings[name];
        let Value::Tensor(tensor) = value else {
            return Err(refused(format!("{} is {}, not a tensor", quoted(name), value.type_name())));
        };
        if !names.insert(name) {
            return Err(damaged(format!("{} is in the dict twice", quoted(name))));
        }
        let tensor = stored(path, objects, objects.tensors[tensor], storages);
        let tensor = tensor.map_err(|reason| damaged(format!("{}: {reason}", quoted(name))))?;
        tensors.push((name.into(), tensor));
    }
    Ok(tensors)
}

/// Returns the location of a tensor; fails with a reason if it is not in its storage.
fn stored(
    path: &Path,
    objects: &Objects,
    tensor: Tensor,
    storages: &Storages,
) -> Result<StoredTensor, String> {
    let Storage { key, dtype, num_values } = objects.storages[tensor.storage];
    let key = &*objects.strings[key];
    let bytes = storages.get(key).ok_or_else(|| format!("the file has no storage {}", quoted(key)))?;
    let num_values = usize::try_from(num_values).ok();
    let length = num_values.and_then(|count| count.checked_mul(dtype.bitsize() / 8));
    let (Some(num_values), Some(length)) = (num_values, length) else {
        return Err("its storage has an invalid size".into());
    };
    if length as u64 != bytes.end - bytes.start {
        let found = bytes.end - bytes.start;
        return Err(format!("its storage needs {length} bytes, but the file has {found}"));
    }
    let [shape, strides] = [tensor.size, tensor.stride].map(|tuple| sizes(&objects.tuples[tuple]));
    let (shape, strides) = (shape?, strides?);
    let offset = usize::try_from(tensor.offset).map_err(|_| "its offset is negative")?;
    if shape.len() != strides.len() {
        return Err(format!("{} dimensions have {} strides", shape.len(), strides.len()));
    }
    let end = span(&shape, &strides).and_then(|span| span.checked_add(offset));
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    // Fewer values than that in the storage: a tensor that repeats values could need any amount of memory.
    if end.is_none_or(|end| end > num_values) || count.is_none_or(|count| count > num_values) {
        return Err(format!("its shape {shape:?} does not fit in a storage of {num_values} values"));
    }
    Ok(StoredTensor { path: path.into(), shape, dtype, storage: bytes.clone(), offset, strides })
}

fn sizes(tuple: &[Value]) -> Result<Vec<usize>, String> {
    if tuple.len() > MAX_DIMENSIONS {
        return Err(format!("{} dimensions are too many", tuple.len()));
    }
    let size = |value: &Value| match *value {
        Value::Int(size) => {
            usize::try_from(size).map_err(|_| format!("the size or stride {size} is negative"))
        }
        other => Err(format!("a size or a stride is {}", other.type_name())),
    };
    tuple.iter().map(size).collect()
}
