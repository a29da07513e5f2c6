//! The names that a pickle may use: those of a state dict. A name is looked up in this list and never imported.

use safetensors::Dtype;

use super::problem::{Problem, quoted, refused};

/// An allowed function or class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    /// Creates a view of a storage.
    RebuildTensor,
    /// Creates a parameter: a tensor with `requires_grad`.
    RebuildParameter,
    StorageClass(Dtype),
}

/// Module and name in Python.
const ALLOWED: [(&str, &str, Global); 13] = [
    ("collections", "OrderedDict", Global::OrderedDict),
    ("torch._utils", "_rebuild_tensor_v2", Global::RebuildTensor),
    ("torch._utils", "_rebuild_parameter", Global::RebuildParameter),
    ("torch", "DoubleStorage", Global::StorageClass(Dtype::F64)),
    ("torch", "FloatStorage", Global::StorageClass(Dtype::F32)),
    ("torch", "HalfStorage", Global::StorageClass(Dtype::F16)),
    ("torch", "BFloat16Storage", Global::StorageClass(Dtype::BF16)),
    ("torch", "LongStorage", Global::StorageClass(Dtype::I64)),
    ("torch", "IntStorage", Global::StorageClass(Dtype::I32)),
    ("torch", "ShortStorage", Global::StorageClass(Dtype::I16)),
    ("torch", "CharStorage", Global::StorageClass(Dtype::I8)),
    ("torch", "ByteStorage", Global::StorageClass(Dtype::U8)),
    ("torch", "BoolStorage", Global::StorageClass(Dtype::BOOL)),
];

impl Global {
    /// Returns the global with this name; fails if it is not allowed.
    pub(super) fn find(module: &str, name: &str) -> Result<Self, Problem> {
        let found = ALLOWED.iter().find(|(m, n, _)| (*m, *n) == (module, name)).map(|(_, _, global)| *global);
        found.ok_or_else(|| {
            refused(format!("the global {} is not allowed", quoted(&format!("{module}.{name}"))))
        })
    }

    /// Returns the name in Python.
    pub(super) fn name(self) -> &'static str {
        ALLOWED.iter().find(|(_, _, global)| *global == self).map_or("", |(_, name, _)| name)
    }
}
