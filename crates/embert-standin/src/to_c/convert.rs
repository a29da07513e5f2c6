//! Conversions: `cvt`, `cvta` and `mov`.

use super::Reason;
use super::function::FunctionTranslator;
use super::opcode::{Opcode, Rounding};
use crate::ptx::{Kind, Operand, Type};

/// The modifiers of a `cvt`.
struct Conversion {
    rounding: Option<Rounding>,
    integral: Option<Rounding>,
    ties_away: bool,
    saturates: bool,
    is_relu: bool,
    flushes: bool,
    to: Type,
    from: Type,
}

impl FunctionTranslator<'_> {
    /// Translates `cvt`.
    pub(super) fn convert(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let conversion = Conversion {
            integral: opcode.take_first(Rounding::parse_integral),
            rounding: opcode.take_first(Rounding::parse),
            ties_away: opcode.take("rna"),
            saturates: opcode.take("sat"),
            is_relu: opcode.take("relu"),
            flushes: opcode.take("ftz"),
            to: opcode.take_type()?,
            from: opcode.take_type()?,
        };
        opcode.finish()?;
        let values = self.operands_of(&operands[1..], conversion.from)?;
        let value = match (conversion.to.half(), values.as_slice()) {
            (None, [value]) => conversion.apply(conversion.to, value)?,
            // The first of two sources becomes the high half.
            (Some(half), [high, low]) => {
                format!("pair({}, {})", conversion.apply(half, low)?, conversion.apply(half, high)?)
            }
            _ => return Err(Reason::new("this form is not translated")),
        };
        self.write(&operands[0], conversion.to, &value)
    }

    /// Translates `cvta`: all state spaces are one memory, so that an address stays what it is.
    pub(super) fn convert_address(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take("to");
        let spaces = ["global", "shared", "shared::cta", "local", "const", "param"];
        opcode.take_one(&spaces).ok_or_else(|| Reason::new("it has no state space"))?;
        self.mov(opcode, operands)
    }

    /// Translates `mov`, also from and to vectors.
    pub(super) fn mov(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let value = self.read(&operands[1], ty)?;
        self.write(&operands[0], ty, &value)
    }
}

impl Conversion {
    fn apply(&self, to: Type, value: &str) -> Result<String, Reason> {
        let is_float = |ty: Type| ty.is_float() || ty.kind == Kind::Tf32;
        match (is_float(self.from), is_float(to)) {
            (false, false) => self.integer_to_integer(to, value),
            (false, true) => self.integer_to_float(to, value),
            (true, false) => self.float_to_integer(to, value),
            (true, true) => self.float_to_float(to, value),
        }
    }

    fn integer_to_integer(&self, to: Type, value: &str) -> Result<String, Reason> {
        if self.rounding.is_some() || self.is_relu || self.flushes {
            return Err(Reason::new("a conversion of integers does not round"));
        }
        if !self.saturates {
            return Ok(format!("({}){value}", to.c()));
        }
        let (lowest, highest) = match to.is_signed() {
            true => (-(1i128 << (to.bits - 1)), (1i128 << (to.bits - 1)) - 1),
            false => (0, (1i128 << to.bits) - 1),
        };
        let literal = |value: i128| {
            let sign = if value < 0 { "-" } else { "" };
            format!("{sign}(i128){:#x}ULL", value.unsigned_abs())
        };
        Ok(format!("({})clamp({value}, {}, {})", to.c(), literal(lowest), literal(highest)))
    }

    fn integer_to_float(&self, to: Type, value: &str) -> Result<String, Reason> {
        if self.rounding != Some(Rounding::Nearest) {
            return Err(Reason::new("this rounding is not translated"));
        }
        let sign = if self.from.is_signed() { "i" } else { "u" };
        let value = match to.float_suffix() {
            Some("f32") => format!("(float){value}"),
            Some("f64") => format!("(double){value}"),
            Some(suffix) => format!("f64_to_{suffix}({sign}64_to_f64_sticky({value}))"),
            None => return Err(Reason::new("unknown floating-point type")),
        };
        self.finished(to, value)
    }

    fn float_to_integer(&self, to: Type, value: &str) -> Result<String, Reason> {
        let mode = self.integral.ok_or_else(|| Reason::new("it has no rounding"))?;
        if self.is_relu || !to.is_integer() {
            return Err(Reason::new("this form is not translated"));
        }
        let wide = match self.from.float_suffix() {
            Some("f64") => value.to_owned(),
            Some("f32") if self.flushes => format!("ftz_f32({value})"),
            Some("f32") => value.to_owned(),
            Some(suffix) => format!("{suffix}_to_f32({value})"),
            None => return Err(Reason::new("unknown floating-point type")),
        };
        // A float is exact as a double. The saturation is there with and without .sat.
        Ok(format!("f64_to_{}(integral_f64({wide}, {}))", to.c(), mode as u32))
    }

    fn float_to_float(&self, to: Type, value: &str) -> Result<String, Reason> {
        let suffix = |ty: Type| ty.float_suffix().ok_or_else(|| Reason::new("unknown floating-point type"));
        let from = suffix(self.from)?;
        if to.kind == Kind::Tf32 {
            return self.to_tf32(from, value);
        }
        let to_suffix = suffix(to)?;
        let value =
            if self.flushes && from != "f64" { format!("ftz_{from}({value})") } else { value.to_owned() };
        let value = match (from, to_suffix) {
            (from, to) if from == to => return self.to_integral(to, value),
            ("f16" | "bf16", "f32") => format!("{from}_to_f32({value})"),
            ("f16" | "bf16", "f64") => format!("(double){from}_to_f32({value})"),
            ("f16" | "bf16", _) => format!("f32_to_{to_suffix}({from}_to_f32({value}))"),
            ("f32", "f64") => format!("(double){value}"),
            _ => match (self.rounding, from, to_suffix) {
                (Some(Rounding::Nearest), "f64", "f32") => format!("(float){value}"),
                (Some(Rounding::Nearest), _, _) => format!("{from}_to_{to_suffix}({value})"),
                (Some(Rounding::Zero), "f32", _) => format!("{from}_to_{to_suffix}_rz({value})"),
                (Some(mode), "f64", "f32") => format!("f64_to_f32_directed({value}, {})", mode as u32),
                _ => return Err(Reason::new("this rounding is not translated")),
            },
        };
        self.finished(to, value)
    }

    /// Translates a conversion from a type to itself, which rounds to an integral value or only saturates.
    fn to_integral(&self, suffix: &str, value: String) -> Result<String, Reason> {
        let Some(mode) = self.integral else {
            return self.finished(self.to.half().unwrap_or(self.to), value);
        };
        let mode = mode as u32;
        let value = match suffix {
            "f32" | "f64" => format!("integral_{suffix}({value}, {mode})"),
            _ => format!("f32_to_{suffix}(integral_f32({suffix}_to_f32({value}), {mode}))"),
        };
        self.finished(self.to, value)
    }

    fn to_tf32(&self, from: &str, value: &str) -> Result<String, Reason> {
        let value = if self.is_relu { format!("relu_f32({value})") } else { value.to_owned() };
        match (from, self.ties_away, self.rounding) {
            ("f32", true, None) => Ok(format!("f32_to_tf32_rna({value})")),
            ("f32", false, Some(Rounding::Nearest)) => Ok(format!("f32_to_tf32_rn({value})")),
            ("f32", false, Some(Rounding::Zero)) => Ok(format!("f32_to_tf32_rz({value})")),
            _ => Err(Reason::new("this rounding is not translated")),
        }
    }

    fn finished(&self, to: Type, value: String) -> Result<String, Reason> {
        let suffix = to.float_suffix().ok_or_else(|| Reason::new("unknown floating-point type"))?;
        let mut value = value;
        if self.flushes && suffix == "f32" {
            value = format!("ftz_f32({value})");
        }
        if self.saturates {
            value = format!("sat_{suffix}({value})");
        }
        if self.is_relu {
            value = format!("relu_{suffix}({value})");
        }
        Ok(value)
    }
}
