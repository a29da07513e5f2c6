//! The calls in a pickle that this reader knows. They create values and run no code of the file.

use super::globals::Global;
use super::objects::{Objects, Storage, Tensor, Value};
use super::problem::{Problem, refused};

/// Returns the result of `function(*arguments)`.
pub(super) fn call(objects: &mut Objects, function: Value, arguments: Value) -> Result<Value, Problem> {
    let Value::Global(global) = function else {
        return Err(refused(format!("a call of {} is not allowed", function.type_name())));
    };
    match (global, objects.tuple(arguments)?) {
        (Global::OrderedDict, []) => Ok(objects.new_dict()),
        (
            Global::RebuildTensor,
            &[
                Value::Storage(storage),
                Value::Int(offset),
                Value::Tuple(size),
                Value::Tuple(stride),
                Value::Bool(_requires_grad),
                Value::Dict(_backward_hooks),
            ],
        ) => Ok(objects.new_tensor(Tensor { storage, offset, size, stride })),
        (
            Global::RebuildParameter,
            &[tensor @ Value::Tensor(_), Value::Bool(_requires_grad), Value::Dict(_backward_hooks)],
        ) => Ok(tensor),
        _ => Err(refused(format!("a call of {} with these arguments is not allowed", global.name()))),
    }
}

/// Checks the state of an object. A state dict has its `_metadata` as an attribute, which is ignored.
pub(super) fn check_state(object: Value, state: Value) -> Result<(), Problem> {
    match (object, state) {
        (Value::Dict(_), Value::Dict(_)) => Ok(()),
        _ => Err(refused(format!("a state of {} is not allowed", object.type_name()))),
    }
}

/// Returns the storage with a persistent id: `('storage', class, key, location, num_values)`.
///
/// The older format has one more item, which current versions of PyTorch set to None.
pub(super) fn storage(objects: &mut Objects, id: Value) -> Result<Value, Problem> {
    let (kind, class, key, num_values) = match *objects.tuple(id)? {
        [kind, class, Value::Str(key), Value::Str(_location), Value::Int(num_values)]
        | [kind, class, Value::Str(key), Value::Str(_location), Value::Int(num_values), Value::None] => {
            (kind, class, key, num_values)
        }
        _ => return Err(refused("a persistent id that is not a storage is not allowed")),
    };
    match (objects.str(kind)?, class) {
        ("storage", Value::Global(Global::StorageClass(dtype))) => {
            Ok(objects.new_storage(Storage { key, dtype, num_values }))
        }
        _ => Err(refused("a persistent id that is not a storage is not allowed")),
    }
}
