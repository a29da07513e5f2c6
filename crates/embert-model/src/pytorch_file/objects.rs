//! The objects that a pickle creates. They refer to each other by index, so cycles and deep nesting are harmless.

use safetensors::Dtype;

use super::globals::Global;
use super::problem::{Problem, damaged};

/// A value, or the index of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// Its value is not needed.
    Float,
    Str(usize),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

impl Value {
    /// Returns the name of the type, for messages.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Float => "a float",
            Self::Str(_) => "a str",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a class or a function",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// A storage: the name of its bytes in the file, their type and their number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage {
    pub(super) key: usize,
    pub(super) dtype: Dtype,
    pub(super) num_values: i64,
}

/// A view of a storage. `size` and `stride` are indices of tuples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tensor {
    pub(super) storage: usize,
    pub(super) offset: i64,
    pub(super) size: usize,
    pub(super) stride: usize,
}

/// All objects of a pickle. Each one needs memory in proportion to its bytes in the pickle.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) strings: Vec<Box<str>>,
    pub(super) tuples: Vec<Box<[Value]>>,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: Vec<Storage>,
    pub(super) tensors: Vec<Tensor>,
}

impl Objects {
    pub(super) fn new_str(&mut self, text: String) -> Value {
        Value::Str(index_after_push(&mut self.strings, text.into()))
    }

    pub(super) fn new_tuple(&mut self, items: Vec<Value>) -> Value {
        Value::Tuple(index_after_push(&mut self.tuples, items.into()))
    }

    pub(super) fn new_list(&mut self) -> Value {
        Value::List(index_after_push(&mut self.lists, vec![]))
    }

    pub(super) fn new_dict(&mut self) -> Value {
        Value::Dict(index_after_push(&mut self.dicts, vec![]))
    }

    pub(super) fn new_storage(&mut self, storage: Storage) -> Value {
        Value::Storage(index_after_push(&mut self.storages, storage))
    }

    pub(super) fn new_tensor(&mut self, tensor: Tensor) -> Value {
        Value::Tensor(index_after_push(&mut self.tensors, tensor))
    }

    pub(super) fn str(&self, value: Value) -> Result<&str, Problem> {
        match value {
            Value::Str(index) => Ok(&self.strings[index]),
            other => Err(unexpected(other, "a str")),
        }
    }

    pub(super) fn tuple(&self, value: Value) -> Result<&[Value], Problem> {
        match value {
            Value::Tuple(index) => Ok(&self.tuples[index]),
            other => Err(unexpected(other, "a tuple")),
        }
    }

    pub(super) fn list(&mut self, value: Value) -> Result<&mut Vec<Value>, Problem> {
        match value {
            Value::List(index) => Ok(&mut self.lists[index]),
            other => Err(unexpected(other, "a list")),
        }
    }

    pub(super) fn dict(&mut self, value: Value) -> Result<&mut Vec<(Value, Value)>, Problem> {
        match value {
            Value::Dict(index) => Ok(&mut self.dicts[index]),
            other => Err(unexpected(other, "a dict")),
        }
    }
}

fn index_after_push<T>(list: &mut Vec<T>, item: T) -> usize {
    list.push(item);
    list.len() - 1
}

fn unexpected(found: Value, expected: &str) -> Problem {
    damaged(format!("the pickle has {} instead of {expected}", found.type_name()))
}
