//! Reads operands as C expressions, and writes results into registers.

use super::Reason;
use super::function::FunctionTranslator;
use super::names::{Register, register_name, special};
use crate::ptx::{Kind, Operand, Type};

impl FunctionTranslator<'_> {
    /// The C expression of `operand`, of the C type `ty.c()`.
    pub(super) fn read(&mut self, operand: &Operand, ty: Type) -> Result<String, Reason> {
        match operand {
            Operand::Name(name) => self.read_name(name, ty),
            Operand::Offset(name, offset) => {
                Ok(format!("({})((u64){} + {offset}LL)", ty.c(), self.address_of(name)?))
            }
            Operand::Not(name) => Ok(format!("!{}", self.read_name(name, Type::PREDICATE)?)),
            Operand::Integer(value) => integer_literal(*value, ty),
            Operand::Single(bits) => single_literal(*bits, ty),
            Operand::Double(bits) => double_literal(*bits, ty),
            Operand::Vector(parts) => self.packed(parts, ty),
            _ => Err(Reason::new("an operand has a form that does not fit")),
        }
    }

    fn read_name(&mut self, name: &str, ty: Type) -> Result<String, Reason> {
        if let Some(register) = self.registers.get(name).copied() {
            self.count(name, ty);
            return read_register(name, register, ty);
        }
        if let Some((expression, bits)) = special(name) {
            if ty.bits > bits && !ty.is_integer() {
                return Err(Reason(format!("{name} is not a {ty:?}")));
            }
            return Ok(format!("({})({expression})", ty.c()));
        }
        Ok(format!("({})(u64){}", ty.c(), self.address_of(name)?))
    }

    /// The C expression of the address of a variable or parameter, as `u8 *`.
    pub(super) fn address_of(&self, name: &str) -> Result<String, Reason> {
        let found = self.addresses.get(name).or_else(|| self.module_addresses.get(name));
        found.cloned().ok_or_else(|| Reason(format!("`{name}` is not declared")))
    }

    /// The C expression of `[base + offset]`, a `u64`.
    pub(super) fn address(&mut self, operand: &Operand) -> Result<String, Reason> {
        let Operand::Address(base, offset) = operand else {
            return Err(Reason::new("an address is missing"));
        };
        let base = self.read(base, Type::U64).or_else(|_| self.read(base, Type::U32))?;
        Ok(if *offset == 0 { base } else { format!("({base} + {offset}LL)") })
    }

    /// The C expression of `{low, ..., high}` packed into one value.
    fn packed(&mut self, parts: &[Operand], ty: Type) -> Result<String, Reason> {
        let part = Type::new(Kind::Bits, ty.bits / parts.len() as u32);
        let whole = Type::new(Kind::Bits, ty.bits).c();
        let mut terms = Vec::new();
        for (index, operand) in parts.iter().enumerate() {
            let value = self.read(operand, part)?;
            terms.push(format!("({whole}){value} << {}", index as u32 * part.bits));
        }
        Ok(format!("({})({})", ty.c(), terms.join(" | ")))
    }

    /// Emits the assignment of the expression `value`, which has type `ty`, to a register.
    pub(super) fn write(&mut self, target: &Operand, ty: Type, value: &str) -> Result<(), Reason> {
        match target {
            Operand::Sink => {
                self.line(&format!("(void)({value});"));
                Ok(())
            }
            Operand::Vector(parts) => self.unpack(parts, ty, value),
            Operand::Name(name) => {
                let assignment = self.assignment(name, ty, value)?;
                self.line(&assignment);
                Ok(())
            }
            _ => Err(Reason::new("a result is not a register")),
        }
    }

    fn assignment(&mut self, name: &str, ty: Type, value: &str) -> Result<String, Reason> {
        let register = self.registers.get(name).copied();
        let register = register.ok_or_else(|| Reason(format!("`{name}` is not a register")))?;
        if ty.bits > register.bits {
            return Err(Reason(format!("{name} has {} bits, its value {}", register.bits, ty.bits)));
        }
        self.count(name, ty);
        let to = register_name(name);
        let is_float = ty.kind == Kind::Float && ty.bits >= 32;
        Ok(match (register.is_float, is_float) {
            (true, true) => format!("{to} = {value};"),
            (true, false) => format!("{to} = f{}(({})({value}));", register.bits, ty.c()),
            (false, true) => format!("{to} = bits{}({value});", ty.bits),
            (false, false) => format!("{to} = ({})({value});", ty.c()),
        })
    }

    /// Emits `{a, b} = value`: the first register gets the lowest bits.
    fn unpack(&mut self, parts: &[Operand], ty: Type, value: &str) -> Result<(), Reason> {
        let part = Type::new(Kind::Bits, ty.bits / parts.len() as u32);
        let whole = Type::new(Kind::Bits, ty.bits).c();
        self.line(&format!("{{ {whole} x = ({whole})({value});"));
        for (index, target) in parts.iter().enumerate() {
            if *target != Operand::Sink {
                self.write(target, part, &format!("({})(x >> {})", part.c(), index as u32 * part.bits))?;
            }
        }
        self.line("}");
        Ok(())
    }

    /// Counts a use of a register as a float or as an integer. Uses as bits fit both.
    fn count(&mut self, name: &str, ty: Type) {
        let uses = self.uses.entry(name.to_owned()).or_default();
        match (ty.kind, ty.bits) {
            (Kind::Float, 32 | 64) => uses.float += 1,
            (Kind::Bits, _) => {}
            _ => uses.integer += 1,
        }
    }
}

fn read_register(name: &str, register: Register, ty: Type) -> Result<String, Reason> {
    let from = register_name(name);
    if ty.kind == Kind::Predicate || register.bits == 1 {
        let fits = ty.kind == Kind::Predicate && register.bits == 1;
        return if fits { Ok(from) } else { Err(Reason(format!("{name} is not a {ty:?}"))) };
    }
    if ty.bits > register.bits {
        return Err(Reason(format!("{name} has only {} bits", register.bits)));
    }
    let is_float = ty.kind == Kind::Float && ty.bits >= 32;
    if is_float && ty.bits != register.bits {
        return Err(Reason(format!("{name} is not a {ty:?}")));
    }
    Ok(match (register.is_float, is_float) {
        (true, true) => from,
        (true, false) => format!("({})bits{}({from})", ty.c(), register.bits),
        (false, true) => format!("f{}({from})", ty.bits),
        (false, false) => format!("({}){from}", ty.c()),
    })
}

fn integer_literal(value: i128, ty: Type) -> Result<String, Reason> {
    if ty.kind == Kind::Predicate {
        return Ok(u8::from(value != 0).to_string());
    }
    if ty.kind == Kind::Float && ty.bits >= 32 {
        return Err(Reason::new("an integer literal is used as a float"));
    }
    Ok(match ty.bits {
        128 => format!("((u128){:#x}ULL << 64 | {:#x}ULL)", (value >> 64) as u64, value as u64),
        64 => format!("({}){:#x}ULL", ty.c(), value as u64),
        bits => format!("({}){:#x}u", ty.c(), value as u64 & ((1 << bits) - 1)),
    })
}

fn single_literal(bits: u32, ty: Type) -> Result<String, Reason> {
    match (ty.kind, ty.bits) {
        (Kind::Float, 32) => Ok(format!("f32({bits:#x}u)")),
        (Kind::Float, 64) => Ok(format!("f64({:#x}ULL)", f64::from(f32::from_bits(bits)).to_bits())),
        (_, 32) => Ok(format!("({}){bits:#x}u", ty.c())),
        _ => Err(Reason::new("a single-precision literal has another type")),
    }
}

fn double_literal(bits: u64, ty: Type) -> Result<String, Reason> {
    match (ty.kind, ty.bits) {
        (Kind::Float, 32) => Ok(format!("f32({:#x}u)", (f64::from_bits(bits) as f32).to_bits())),
        (Kind::Float, 64) => Ok(format!("f64({bits:#x}ULL)")),
        (_, 64) => Ok(format!("({}){bits:#x}ULL", ty.c())),
        _ => Err(Reason::new("a double-precision literal has another type")),
    }
}
