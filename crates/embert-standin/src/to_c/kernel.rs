//! What the launch of a kernel needs to know: its parameters, shared memory and collectives.

use std::collections::HashMap;

use crate::ptx::{Function, Module, Space, Statement, Variable};

/// A kernel of a translated module.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    pub(crate) name: String,
    /// The offset and size of each parameter in the buffer of parameters.
    pub(crate) parameters: Vec<(usize, usize)>,
    pub(crate) parameter_bytes: usize,
    /// Where dynamic shared memory begins; before it is the static shared memory.
    pub(crate) static_shared_bytes: usize,
    /// Threads wait for each other, so that each one is a coroutine.
    pub(crate) has_collectives: bool,
    pub(crate) stack_bytes: usize,
}

/// The offset of each parameter in one buffer.
pub(super) fn parameter_offsets(parameters: &[Variable]) -> Vec<usize> {
    let mut end = 0;
    let mut place = |parameter: &Variable| {
        let offset = usize::next_multiple_of(end, parameter.align.max(1));
        end = offset + parameter.bytes;
        offset
    };
    parameters.iter().map(&mut place).collect()
}

/// The offsets of all shared variables of a module and the bytes of the static ones.
pub(super) fn shared_layout(module: &Module) -> (HashMap<String, usize>, usize) {
    let in_functions = module.functions.iter().filter_map(|function| function.body.as_ref()).flatten();
    let in_functions = in_functions.filter_map(|statement| match statement {
        Statement::Variable(variable) => Some(variable),
        _ => None,
    });
    let shared: Vec<&Variable> = module
        .variables
        .iter()
        .chain(in_functions)
        .filter(|variable| variable.space == Space::Shared)
        .collect();
    let mut end = 0;
    let mut offsets = HashMap::new();
    for variable in shared.iter().filter(|variable| !variable.is_extern) {
        let offset = usize::next_multiple_of(end, variable.align.max(1));
        end = offset + variable.bytes;
        offsets.insert(variable.name.clone(), offset);
    }
    // All extern variables are the same memory: the dynamic shared memory.
    let dynamic = end.next_multiple_of(128);
    offsets.extend(
        shared.iter().filter(|variable| variable.is_extern).map(|variable| (variable.name.clone(), dynamic)),
    );
    (offsets, dynamic)
}

/// Describes a kernel.
pub(super) fn describe(
    function: &Function,
    static_shared_bytes: usize,
    has_collectives: bool,
    stack_bytes: usize,
) -> Kernel {
    let offsets = parameter_offsets(&function.parameters);
    let parameters: Vec<(usize, usize)> = offsets
        .into_iter()
        .zip(&function.parameters)
        .map(|(offset, parameter)| (offset, parameter.bytes))
        .collect();
    let parameter_bytes = parameters.last().map_or(0, |(offset, bytes)| offset + bytes);
    let name = function.name.clone();
    Kernel { name, parameters, parameter_bytes, static_shared_bytes, has_collectives, stack_bytes }
}

impl Kernel {
    /// The exported C function that runs a thread, or all threads of a block.
    pub(crate) fn exported_name(&self) -> String {
        format!("run_{}", super::names::symbol_name(&self.name))
    }
}

/// Describes the kernels of a module that is not translated.
pub(crate) fn kernels(module: &Module) -> Vec<Kernel> {
    let entries = module.functions.iter().filter(|function| function.is_entry);
    entries.map(|function| describe(function, 0, false, 0)).collect()
}
