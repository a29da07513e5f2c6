//! The PTX that CubeCL's LLVM backend emits: its text becomes a [`Module`].

mod body;
mod lexer;
mod module;
mod operands;
mod parser;
mod value_type;
mod variables;

pub(crate) use module::{
    Function, Initial, Instruction, Module, Operand, RegisterBank, Space, Statement, Variable,
};
pub(crate) use value_type::{Kind, Type};

/// PTX that the parser cannot read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PtxError {
    #[error("line {line}: text without an end")]
    Text { line: u32 },
    #[error("line {line}: a character outside of ASCII")]
    Character { line: u32 },
    #[error("line {line}: expected {expected}, found `{found}`")]
    Expected { line: u32, expected: &'static str, found: String },
    #[error("the text ends inside of a declaration")]
    End,
}

/// Parses the text of a module.
pub(crate) fn parse(source: &str) -> Result<Module, PtxError> {
    parser::Parser::new(&lexer::tokens(source)?).module()
}
