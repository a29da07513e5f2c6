//! Logic, shifts and bit fields.

use super::Reason;
use super::function::FunctionTranslator;
use super::opcode::Opcode;
use crate::ptx::{Kind, Operand, Type};

impl FunctionTranslator<'_> {
    /// Translates `and`, `or`, `xor`, `not` and `cnot`, also of predicates.
    pub(super) fn logic(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], ty)?;
        let value = match (opcode.name, values.as_slice()) {
            ("and", [a, b]) => format!("{a} & {b}"),
            ("or", [a, b]) => format!("{a} | {b}"),
            ("xor", [a, b]) => format!("{a} ^ {b}"),
            ("not", [a]) if ty.kind == Kind::Predicate => format!("!{a}"),
            ("not", [a]) => format!("~{a}"),
            ("cnot", [a]) => format!("{a} == 0"),
            _ => return Err(Reason::new("this instruction is not translated")),
        };
        self.write(&operands[0], ty, &value)
    }

    /// Translates `shl` and `shr`. An amount of the width or more moves all bits out.
    pub(super) fn shift(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let ty = if opcode.name == "shl" { Type::new(Kind::Unsigned, ty.bits) } else { ty };
        let value = self.read(&operands[1], ty)?;
        let amount = self.read(&operands[2], Type::U32)?;
        self.write(&operands[0], ty, &format!("{}_{}({value}, {amount})", opcode.name, ty.c()))
    }

    /// Translates `shf`, which shifts two registers.
    pub(super) fn funnel_shift(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let side = opcode.take_one(&["l", "r"]).ok_or_else(|| Reason::new("it has no direction"))?;
        let wraps = opcode.take_one(&["wrap", "clamp"]) == Some("wrap");
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], ty)?;
        let amount = if wraps { format!("({} & 31)", values[2]) } else { values[2].clone() };
        self.write(&operands[0], ty, &format!("shf_{side}({}, {}, {amount})", values[0], values[1]))
    }

    /// Translates instructions on bits that are a C helper function of the same name.
    pub(super) fn bit_function(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let ty = opcode.take_type()?;
        let gives_shift = opcode.name == "bfind" && opcode.take("shiftamt");
        opcode.finish()?;
        let value = match opcode.name {
            "prmt" | "lop3" => {
                format!("{}({})", opcode.name, self.operands_of(&operands[1..], ty)?.join(", "))
            }
            "bfe" => {
                let fields = self.operands_of(&operands[2..], Type::U32)?.join(", ");
                format!("bfe_{}({}, {fields})", ty.c(), self.read(&operands[1], ty)?)
            }
            "bfi" => {
                let values = self.operands_of(&operands[1..3], ty)?.join(", ");
                format!(
                    "bfi_{}({values}, {})",
                    ty.c(),
                    self.operands_of(&operands[3..], Type::U32)?.join(", ")
                )
            }
            _ => format!("{}_{}({})", opcode.name, ty.c(), self.read(&operands[1], ty)?),
        };
        if gives_shift {
            let found = format!("({value} == 0xffffffff ? 0xffffffff : {} - {value})", ty.bits - 1);
            return self.write(&operands[0], Type::U32, &found);
        }
        // popc, clz and bfind count in 32 bits.
        let counts = matches!(opcode.name, "popc" | "clz" | "bfind");
        self.write(&operands[0], if counts { Type::U32 } else { ty }, &value)
    }

    /// Translates `dp4a`, the dot product of four bytes.
    pub(super) fn byte_dot_product(
        &mut self,
        mut opcode: Opcode,
        operands: &[Operand],
    ) -> Result<(), Reason> {
        let a = opcode.take_type()?;
        let b = opcode.take_type()?;
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], Type::U32)?.join(", ");
        let value = format!("dp4a({values}, {}, {})", u8::from(a.is_signed()), u8::from(b.is_signed()));
        self.write(&operands[0], Type::U32, &value)
    }
}
