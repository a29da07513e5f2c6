//! Translates a PTX module to C.

mod arithmetic;
mod atomic;
mod bits;
mod collective;
mod compare;
mod control;
mod converged;
mod convert;
mod flow;
mod function;
mod kernel;
mod matrix;
mod memory;
mod module;
mod names;
mod opcode;
mod reconvergence;
mod values;

use std::fmt;

pub(crate) use kernel::{Kernel, kernels};
pub(crate) use module::translate;

/// Why an instruction cannot be translated.
#[derive(Debug)]
pub(crate) struct Reason(String);

impl Reason {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An instruction that cannot be translated.
#[derive(Debug, thiserror::Error)]
#[error("{function}, line {line}: cannot translate `{instruction}`: {reason}")]
pub(crate) struct TranslateError {
    function: String,
    line: u32,
    instruction: String,
    reason: Reason,
}
