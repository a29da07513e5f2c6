//! A parsed PTX module: variables and functions with their statements.

use super::Type;

/// A PTX module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) variables: Vec<Variable>,
    pub(crate) functions: Vec<Function>,
}

/// A state space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Global,
    Const,
    Shared,
    Local,
    Param,
}

impl Space {
    /// Reads a state space without its dot.
    pub(crate) fn parse(name: &str) -> Option<Space> {
        Some(match name {
            "global" => Space::Global,
            "const" => Space::Const,
            "shared" => Space::Shared,
            "local" => Space::Local,
            "param" => Space::Param,
            _ => return None,
        })
    }
}

/// A variable or a parameter.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) space: Space,
    pub(crate) align: usize,
    /// The type of an element.
    pub(crate) element: Type,
    pub(crate) bytes: usize,
    /// Declared elsewhere. In the shared space: its size is given at launch.
    pub(crate) is_extern: bool,
    /// The elements' first values; empty when they are zero.
    pub(crate) initial: Vec<Initial>,
}

/// The first value of an element of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Initial {
    Bits(u64),
    /// The address of another variable plus an offset.
    Address(String, i64),
}

/// A kernel (`.entry`) or a device function (`.func`).
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) is_entry: bool,
    pub(crate) results: Vec<Variable>,
    pub(crate) parameters: Vec<Variable>,
    /// Empty for a declaration.
    pub(crate) body: Option<Vec<Statement>>,
}

/// A statement of a function.
#[derive(Debug)]
pub(crate) enum Statement {
    Open,
    Close,
    Label(String),
    Registers(RegisterBank),
    Variable(Variable),
    /// The labels that `brx.idx` selects from.
    BranchTargets(String, Vec<String>),
    Instruction(Instruction),
}

/// Registers of one type: `%r<10>` is ten of them, `%SP` is one.
#[derive(Debug)]
pub(crate) struct RegisterBank {
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) count: Option<u32>,
}

/// An instruction with its guard.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// The predicate register and whether it is negated.
    pub(crate) guard: Option<(String, bool)>,
    /// The opcode with its modifiers, such as `ld.global.b32`.
    pub(crate) opcode: String,
    pub(crate) operands: Vec<Operand>,
    pub(crate) line: u32,
}

/// An operand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A register, a variable, a function or a label.
    Name(String),
    /// A variable's address plus a constant, outside of brackets.
    Offset(String, i64),
    /// A negated predicate, `!%p1`.
    Not(String),
    /// An integer.
    Integer(i128),
    /// The bits of a single-precision literal, `0f3F800000`.
    Single(u32),
    /// The bits of a double-precision literal.
    Double(u64),
    /// `[base + offset]`
    Address(Box<Operand>, i64),
    /// `{a, b}`
    Vector(Vec<Operand>),
    /// `a|b`
    Pair(Box<Operand>, Box<Operand>),
    /// `(a, b)` of a call.
    List(Vec<Operand>),
    /// `_`
    Sink,
}
