//! Translates the variables and functions of a module into one C file.

use std::collections::{HashMap, HashSet};

use super::function::{self, TranslatedFunction};
use super::kernel::{Kernel, describe, shared_layout};
use super::names::{Addresses, symbol_name};
use super::{Reason, TranslateError};
use crate::emulator::Site;
use crate::ptx::{Function, Initial, Module, Space, Variable};

const PRELUDE: [&str; 7] = [
    include_str!("prelude/thread.h"),
    include_str!("prelude/bits.h"),
    include_str!("prelude/float16.h"),
    include_str!("prelude/float.h"),
    include_str!("prelude/rounding.h"),
    include_str!("prelude/integer.h"),
    include_str!("prelude/atomic.h"),
];

/// A translated module.
pub(crate) struct Translation {
    /// The C source. It exports `run_` and the name of each kernel, and `initialize`.
    pub(crate) source: String,
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) sites: Vec<Site>,
}

/// Translates `module`.
pub(crate) fn translate(module: &Module) -> Result<Translation, TranslateError> {
    let (shared, static_shared_bytes) = shared_layout(module);
    let addresses = addresses(module, &shared);
    let bodies = || module.functions.iter().filter_map(|function| Some((function, function.body.as_ref()?)));
    let names: HashSet<&str> = bodies().map(|(function, _)| function.name.as_str()).collect();
    let mut sites = Vec::new();
    let mut translated = HashMap::new();
    for (function, body) in bodies() {
        let text = function::translate(function, body, &addresses, &names, &mut sites)?;
        translated.insert(function.name.as_str(), text);
    }
    let stack_bytes = translated.values().map(|function| function.stack_bytes).sum();
    let kernel = |function: &&Function| {
        let has_collectives = has_collectives(&function.name, &translated);
        describe(function, static_shared_bytes, has_collectives, stack_bytes)
    };
    let entries = || module.functions.iter().filter(|function| function.is_entry && function.body.is_some());
    let kernels: Vec<Kernel> = entries().map(|function| kernel(&function)).collect();
    let mut source = PRELUDE.concat();
    source.push_str(&variables(module, &addresses)?);
    source.push_str(&declarations(module));
    for (function, _) in bodies() {
        source.push_str(&translated[function.name.as_str()].text);
    }
    for kernel in &kernels {
        source.push_str(&entry(kernel));
    }
    Ok(Translation { source, kernels, sites })
}

/// The addresses of the variables of a module, as C expressions.
fn addresses(module: &Module, shared: &HashMap<String, usize>) -> Addresses {
    let in_shared =
        shared.iter().map(|(name, offset)| (name.clone(), format!("(t->block->shared + {offset})")));
    let others =
        module.variables.iter().filter(|variable| variable.space != Space::Shared && !variable.is_extern);
    let others = others.map(|variable| (variable.name.clone(), symbol_name(&variable.name)));
    in_shared.chain(others).collect()
}

fn has_collectives(name: &str, functions: &HashMap<&str, TranslatedFunction>) -> bool {
    let mut pending = vec![name];
    let mut seen = HashSet::new();
    while let Some(name) = pending.pop() {
        let Some(function) = functions.get(name) else { continue };
        if !seen.insert(name) {
            continue;
        }
        if function.has_collectives {
            return true;
        }
        pending.extend(function.calls.iter().map(String::as_str));
    }
    false
}

/// The global and constant variables, and a function that sets the addresses in them.
fn variables(module: &Module, addresses: &Addresses) -> Result<String, TranslateError> {
    let mut text = String::new();
    let mut initialize = String::from("void initialize(void) {\n");
    let stored =
        module.variables.iter().filter(|variable| variable.space != Space::Shared && !variable.is_extern);
    for variable in stored {
        text.push_str(&variable_with_values(variable));
        for (index, value) in variable.initial.iter().enumerate() {
            let Initial::Address(target, offset) = value else { continue };
            let address = addresses.get(target).ok_or_else(|| TranslateError {
                function: variable.name.clone(),
                line: 0,
                instruction: target.clone(),
                reason: Reason::new("the address of something that is no variable"),
            })?;
            let at = index * variable.element.bytes();
            let name = symbol_name(&variable.name);
            initialize.push_str(&format!("AT(u64, {name} + {at}) = (u64)({address} + {offset}LL);\n"));
        }
    }
    Ok(format!("{text}{initialize}}}\n"))
}

fn variable_with_values(variable: &Variable) -> String {
    let size = variable.element.bytes();
    let bytes = variable.initial.iter().flat_map(|value| match value {
        Initial::Bits(bits) => bits.to_le_bytes()[..size.min(8)].to_vec(),
        Initial::Address(..) => vec![0; size],
    });
    let bytes: Vec<String> = bytes.map(|byte| byte.to_string()).collect();
    let name = symbol_name(&variable.name);
    let length = variable.bytes.max(1);
    format!("_Alignas({}) u8 {name}[{length}] = {{{}}};\n", variable.align.max(1), bytes.join(","))
}

/// The signatures of all functions, which may call each other, and of `vprintf`.
fn declarations(module: &Module) -> String {
    let mut text = String::from(
        "static inline void s_vprintf(struct thread *t, u8 *result, u8 *format, u8 *values) {\n\
         t->block->print((const char *)AT(u64, format), (const u8 *)AT(u64, values));\nAT(u32, result) = 0;\n}\n",
    );
    for function in module.functions.iter().filter(|function| function.body.is_some()) {
        text.push_str(&format!("{};\n", function::signature(function)));
    }
    text
}

/// The exported function of a kernel: one thread, or all threads of a block where none waits for another.
fn entry(kernel: &Kernel) -> String {
    let name = symbol_name(&kernel.name);
    if kernel.has_collectives {
        return format!("void run_{name}(struct thread *t) {{ {name}(t); }}\n");
    }
    format!(
        "void run_{name}(struct thread *t) {{\n\
         const struct block *b = t->block;\nu32 n = 0;\n\
         for (u32 z = 0; z < b->ntid[2]; z++) for (u32 y = 0; y < b->ntid[1]; y++)\n\
         for (u32 x = 0; x < b->ntid[0]; x++) {{\n\
         t->tid[0] = x; t->tid[1] = y; t->tid[2] = z; t->lane = n++ & 31;\n{name}(t);\n}}\n}}\n"
    )
}
