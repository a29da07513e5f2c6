//! Arithmetic: `add`, `sub`, `mul`, `mad`, `fma`, `div`, `rem`, `abs`, `neg`, `sad`, `min`, `max` and functions of one
//! float.

use super::Reason;
use super::function::FunctionTranslator;
use super::opcode::{Opcode, Rounding};
use crate::ptx::{Kind, Operand, Type};

impl FunctionTranslator<'_> {
    /// Translates an instruction whose operands all have its type.
    pub(super) fn arithmetic(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        if opcode.take("cc") || matches!(opcode.name, "addc" | "subc" | "madc") {
            return self.carrying(opcode, operands);
        }
        let ty = opcode.take_type()?;
        if ty.is_float() { self.float(opcode, ty, operands) } else { self.integer(opcode, ty, operands) }
    }

    fn integer(&mut self, mut opcode: Opcode, ty: Type, operands: &[Operand]) -> Result<(), Reason> {
        if let Some(half) = ty.half() {
            return self.integer_pair(opcode, ty, half, operands);
        }
        if matches!(opcode.name, "mul" | "mad" | "mul24" | "mad24") {
            return self.product(opcode, ty, operands);
        }
        let is_saturating = opcode.take("sat");
        let is_relu = opcode.take("relu");
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], ty)?;
        let mut value = integer_expression(opcode.name, ty, &values)?;
        if is_saturating {
            value = match (opcode.name, ty.kind, ty.bits) {
                ("add", Kind::Signed, 32) => format!("clamp_i32((i64){} + {})", values[0], values[1]),
                ("sub", Kind::Signed, 32) => format!("clamp_i32((i64){} - {})", values[0], values[1]),
                _ => return Err(Reason::new("unknown modifier .sat")),
            };
        }
        if is_relu {
            value = format!("max_{}({value}, 0)", ty.c());
        }
        self.write(&operands[0], ty, &value)
    }

    fn integer_pair(
        &mut self,
        mut opcode: Opcode,
        ty: Type,
        half: Type,
        operands: &[Operand],
    ) -> Result<(), Reason> {
        let is_relu = opcode.take("relu");
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], ty)?;
        let mut halves = Vec::new();
        for part in ["low", "high"] {
            let values: Vec<String> =
                values.iter().map(|value| format!("({}){part}({value})", half.c())).collect();
            let mut value = integer_expression(opcode.name, half, &values)?;
            if is_relu {
                value = format!("max_i16({value}, 0)");
            }
            halves.push(value);
        }
        self.write(&operands[0], ty, &format!("pair({}, {})", halves[0], halves[1]))
    }

    /// Translates `mul` and `mad` with `.lo`, `.hi` or `.wide`.
    fn product(&mut self, mut opcode: Opcode, ty: Type, operands: &[Operand]) -> Result<(), Reason> {
        let part = opcode.take_one(&["lo", "hi", "wide"]).ok_or_else(|| Reason::new("it has no part"))?;
        if opcode.name.ends_with("24") {
            return Err(Reason::new("24-bit products are not translated"));
        }
        opcode.finish()?;
        let values = self.operands_of(&operands[1..3], ty)?;
        let (a, b) = (&values[0], &values[1]);
        let result = if part == "wide" { Type::new(ty.kind, ty.bits * 2) } else { ty };
        let mut value = match part {
            "lo" if ty.bits <= 32 => format!("(u32){a} * (u32){b}"),
            "lo" => format!("(u64){a} * (u64){b}"),
            "hi" => format!("mulhi_{}({a}, {b})", ty.c()),
            _ => format!("({0}){a} * ({0}){b}", result.c()),
        };
        if let Some(addend) = operands.get(3) {
            let addend = self.read(addend, result)?;
            value = format!("({})({value}) + {addend}", result.c());
        }
        self.write(&operands[0], result, &value)
    }

    /// Translates `add.cc`, `addc`, `sub.cc`, `subc`, `mad.cc` and `madc`, which pass a carry on. It is a C variable of
    /// the function.
    fn carrying(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take("cc"); // Setting the carry when nothing reads it is harmless.
        let part = opcode.take_one(&["lo", "hi"]);
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let unsigned = Type::new(Kind::Unsigned, ty.bits);
        let product = if opcode.name.starts_with("mad") {
            Some(if part == Some("hi") { "hi" } else { "lo" })
        } else {
            None
        };
        let (left, right) = match (product, operands) {
            (None, [_, a, b]) => (self.read(a, unsigned)?, self.read(b, unsigned)?),
            (Some(part), [_, a, b, c]) => (self.half_product(part, a, b, ty)?, self.read(c, unsigned)?),
            _ => return Err(Reason::new("it has another number of operands")),
        };
        let sign = if opcode.name.starts_with("sub") { "-" } else { "+" };
        let carry = if opcode.name.ends_with('c') { "carry" } else { "0" };
        self.line(&format!("{{ u128 x = (u128){left} {sign} (u128){right} {sign} (u128){carry};"));
        self.line(&format!("carry = (x >> {}) & 1;", ty.bits));
        self.write(&operands[0], unsigned, "x")?;
        self.line("}");
        Ok(())
    }

    /// The lower or upper half of a product, as an unsigned number.
    fn half_product(&mut self, part: &str, a: &Operand, b: &Operand, ty: Type) -> Result<String, Reason> {
        let (a, b) = (self.read(a, ty)?, self.read(b, ty)?);
        let bits = ty.bits;
        Ok(match part {
            "hi" => format!("(u{bits})mulhi_{}({a}, {b})", ty.c()),
            _ => format!("(u{bits})((u{bits}){a} * (u{bits}){b})"),
        })
    }

    fn float(&mut self, mut opcode: Opcode, ty: Type, operands: &[Operand]) -> Result<(), Reason> {
        let name = opcode.name;
        let operation = Operation {
            rounding: opcode.take_first(Rounding::parse).unwrap_or(Rounding::Nearest),
            flushes: opcode.take("ftz"),
            saturates: opcode.take("sat"),
            is_relu: opcode.take("relu"),
            keeps_nan: opcode.take("NaN"),
            sign_of_product: opcode.take("xorsign"),
            takes_magnitudes: opcode.take("abs"),
        };
        opcode.take_all(&["approx", "full", "noftz", "ieee"]);
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], ty)?;
        let Some(half) = ty.half() else {
            let value = operation.apply(name, ty, &values)?;
            return self.write(&operands[0], ty, &value);
        };
        let part =
            |part: &str| -> Vec<String> { values.iter().map(|value| format!("{part}({value})")).collect() };
        let low = operation.apply(name, half, &part("low"))?;
        let high = operation.apply(name, half, &part("high"))?;
        self.write(&operands[0], ty, &format!("pair({low}, {high})"))
    }

    /// Reads all of `operands` as `ty`.
    pub(super) fn operands_of(&mut self, operands: &[Operand], ty: Type) -> Result<Vec<String>, Reason> {
        operands.iter().map(|operand| self.read(operand, ty)).collect()
    }
}

fn integer_expression(name: &str, ty: Type, values: &[String]) -> Result<String, Reason> {
    let c = ty.c();
    // Sums of signed integers wrap (-fwrapv).
    Ok(match (name, values) {
        ("add", [a, b]) => format!("{a} + {b}"),
        ("sub", [a, b]) => format!("{a} - {b}"),
        ("div" | "rem" | "min" | "max", [a, b]) => format!("{name}_{c}({a}, {b})"),
        ("sad", [a, b, c]) => format!("({a} > {b} ? {a} - {b} : {b} - {a}) + {c}"),
        ("neg", [a]) => format!("0 - {a}"),
        ("abs", [a]) => format!("({a} < 0 ? 0 - {a} : {a})"),
        _ => return Err(Reason::new("this instruction is not translated")),
    })
}

/// The modifiers of a floating-point instruction.
struct Operation {
    rounding: Rounding,
    flushes: bool,
    saturates: bool,
    is_relu: bool,
    keeps_nan: bool,
    sign_of_product: bool,
    takes_magnitudes: bool,
}

impl Operation {
    /// The C expression of the instruction `name` on values of the scalar type `ty`.
    fn apply(&self, name: &str, ty: Type, values: &[String]) -> Result<String, Reason> {
        let suffix = ty.float_suffix().ok_or_else(|| Reason::new("unknown floating-point type"))?;
        if self.flushes && suffix == "f64" && !matches!(name, "rcp" | "rsqrt") {
            return Err(Reason::new("unknown modifier .ftz"));
        }
        if self.sign_of_product || (self.takes_magnitudes && name != "abs") {
            return Err(Reason::new("unknown modifier .xorsign.abs"));
        }
        let flush =
            |value: &String| if self.flushes { format!("ftz_{suffix}({value})") } else { value.clone() };
        let values: Vec<String> = values.iter().map(flush).collect();
        let mut value = self.call(function(name, self.keeps_nan)?, suffix, &values)?;
        if self.flushes {
            value = format!("ftz_{suffix}({value})");
        }
        if self.saturates {
            value = format!("sat_{suffix}({value})");
        }
        if self.is_relu {
            value = format!("relu_{suffix}({value})");
        }
        Ok(value)
    }

    fn call(&self, function: &str, suffix: &str, values: &[String]) -> Result<String, Reason> {
        let arguments = values.join(", ");
        if self.rounding == Rounding::Nearest {
            return Ok(format!("{function}_{suffix}({arguments})"));
        }
        let is_known = matches!(function, "add" | "sub" | "mul" | "fma" | "div" | "rcp" | "sqrt");
        if !is_known || !matches!(suffix, "f32" | "f64") {
            return Err(Reason::new("this rounding is not translated"));
        }
        Ok(format!("{function}_directed_{suffix}({arguments}, {})", self.rounding as u32))
    }
}

/// The C helper function of a floating-point instruction.
fn function(name: &str, keeps_nan: bool) -> Result<&str, Reason> {
    Ok(match name {
        "mad" | "fma" => "fma",
        "min" if keeps_nan => "min_nan",
        "max" if keeps_nan => "max_nan",
        "add" | "sub" | "mul" | "div" | "neg" | "abs" | "min" | "max" | "sqrt" | "rsqrt" | "rcp" | "sin"
        | "cos" | "tanh" | "ex2" | "lg2" | "copysign" => name,
        _ => return Err(Reason::new("this instruction is not translated")),
    })
}
