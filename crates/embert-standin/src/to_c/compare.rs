//! Comparisons and selections: `setp`, `set`, `selp`, `slct` and `testp`.

use super::Reason;
use super::function::FunctionTranslator;
use super::opcode::Opcode;
use crate::ptx::{Kind, Operand, Type};

const COMPARISONS: [&str; 18] = [
    "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu",
    "num", "nan",
];

impl FunctionTranslator<'_> {
    /// Translates `setp.lt.and.f32 %p1|%p2, a, b, !%p3`. The second predicate is that of the negated comparison.
    pub(super) fn set_predicate(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let comparison = opcode.take_one(&COMPARISONS).ok_or_else(|| Reason::new("it has no comparison"))?;
        let combination = opcode.take_one(&["and", "or", "xor"]);
        let flushes = opcode.take("ftz");
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let values = self.operands_of(&operands[1..3], ty)?;
        let extra = operands.get(3).map(|operand| self.read(operand, Type::PREDICATE)).transpose()?;
        let combined = |value: &str| match (combination, &extra) {
            (None, None) => Ok(value.to_owned()),
            (Some("and"), Some(extra)) => Ok(format!("({value}) & ({extra})")),
            (Some("or"), Some(extra)) => Ok(format!("({value}) | ({extra})")),
            (Some("xor"), Some(extra)) => Ok(format!("({value}) ^ ({extra})")),
            _ => Err(Reason::new("a predicate is missing")),
        };
        let (first, second) = if let Some(half) = ty.half() {
            let part = |part: &str| [format!("{part}({})", values[0]), format!("{part}({})", values[1])];
            let compared = |part: &[String; 2]| compare(comparison, half, flushes, part);
            (compared(&part("low"))?, compared(&part("high"))?)
        } else {
            let value = compare(comparison, ty, flushes, &[values[0].clone(), values[1].clone()])?;
            let opposite = format!("!({value})");
            (value, opposite)
        };
        let (first, second) = (combined(&first)?, combined(&second)?);
        match &operands[0] {
            Operand::Pair(one, other) => {
                self.line(&format!("{{ bool x = {first}, y = {second};"));
                self.write(one, Type::PREDICATE, "x")?;
                self.write(other, Type::PREDICATE, "y")?;
                self.line("}");
                Ok(())
            }
            target if ty.half().is_none() => self.write(target, Type::PREDICATE, &first),
            _ => Err(Reason::new("the second predicate is missing")),
        }
    }

    /// Translates `set`, which writes -1 or 1.0 where the comparison is true.
    pub(super) fn set(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let comparison = opcode.take_one(&COMPARISONS).ok_or_else(|| Reason::new("it has no comparison"))?;
        let flushes = opcode.take("ftz");
        let (result, ty) = (opcode.take_type()?, opcode.take_type()?);
        opcode.finish()?;
        if operands.len() != 3 || ty.half().is_some() {
            return Err(Reason::new("this form is not translated"));
        }
        let values = self.operands_of(&operands[1..], ty)?;
        let compared = compare(comparison, ty, flushes, &[values[0].clone(), values[1].clone()])?;
        let one = match (result.kind, result.bits) {
            (Kind::Float, 32) => "1.0f",
            (Kind::Float, 16) => "0x3c00",
            (Kind::Bfloat, 16) => "0x3f80",
            _ => "-1",
        };
        self.write(&operands[0], result, &format!("({compared}) ? {one} : 0"))
    }

    /// Translates `selp d, a, b, p`.
    pub(super) fn select(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let values = self.operands_of(&operands[1..3], ty)?;
        let predicate = self.read(&operands[3], Type::PREDICATE)?;
        self.write(&operands[0], ty, &format!("({predicate}) ? {} : {}", values[0], values[1]))
    }

    /// Translates `slct d, a, b, c`: `a` where c is not negative.
    pub(super) fn select_by_sign(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let flushes = opcode.take("ftz");
        let (ty, sign) = (opcode.take_type()?, opcode.take_type()?);
        opcode.finish()?;
        let values = self.operands_of(&operands[1..3], ty)?;
        let sign = self.read(&operands[3], sign)?;
        let sign = if flushes { format!("ftz_f32({sign})") } else { sign };
        self.write(&operands[0], ty, &format!("({sign} >= 0) ? {} : {}", values[0], values[1]))
    }

    /// Translates `testp`, the class of a float.
    pub(super) fn test_float(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let classes = ["finite", "infinite", "number", "notanumber", "normal", "subnormal"];
        let class = opcode.take_one(&classes).ok_or_else(|| Reason::new("it has no class"))?;
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let class = if class == "notanumber" { "nan" } else { class };
        let value = self.read(&operands[1], ty)?;
        let value = format!("is_{class}_f{}({value})", ty.bits);
        self.write(&operands[0], Type::PREDICATE, &value)
    }
}

/// The C expression of a comparison.
fn compare(comparison: &str, ty: Type, flushes: bool, values: &[String; 2]) -> Result<String, Reason> {
    if !ty.is_float() {
        return compare_integers(comparison, values);
    }
    let suffix = ty.float_suffix().ok_or_else(|| Reason::new("unknown floating-point type"))?;
    let widened = values.each_ref().map(|value| {
        let value = if flushes { format!("ftz_{suffix}({value})") } else { value.clone() };
        if ty.bits == 16 { format!("{suffix}_to_f32({value})") } else { value }
    });
    let [a, b] = widened;
    Ok(match comparison {
        "eq" => format!("{a} == {b}"),
        // Ordered: false for NaN. C's != is true for NaN.
        "ne" => format!("({a} < {b}) | ({a} > {b})"),
        "lt" => format!("{a} < {b}"),
        "le" => format!("{a} <= {b}"),
        "gt" => format!("{a} > {b}"),
        "ge" => format!("{a} >= {b}"),
        "equ" => format!("!(({a} < {b}) | ({a} > {b}))"),
        "neu" => format!("{a} != {b}"),
        "ltu" => format!("!({a} >= {b})"),
        "leu" => format!("!({a} > {b})"),
        "gtu" => format!("!({a} <= {b})"),
        "geu" => format!("!({a} < {b})"),
        "num" => format!("({a} == {a}) & ({b} == {b})"),
        "nan" => format!("({a} != {a}) | ({b} != {b})"),
        _ => return Err(Reason(format!("unknown modifier .{comparison}"))),
    })
}

fn compare_integers(comparison: &str, [a, b]: &[String; 2]) -> Result<String, Reason> {
    let operator = match comparison {
        "eq" => "==",
        "ne" => "!=",
        "lt" | "lo" => "<",
        "le" | "ls" => "<=",
        "gt" | "hi" => ">",
        "ge" | "hs" => ">=",
        _ => return Err(Reason(format!("unknown modifier .{comparison}"))),
    };
    Ok(format!("{a} {operator} {b}"))
}
