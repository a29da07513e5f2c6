//! Atomics: `atom`, `red` and fences.

use super::Reason;
use super::function::FunctionTranslator;
use super::memory::{SCOPES, SPACES};
use super::opcode::Opcode;
use crate::ptx::{Kind, Operand, Type};

const OPERATIONS: [&str; 12] =
    ["add", "and", "or", "xor", "exch", "cas", "min", "max", "inc", "dec", "sub", "popc"];

impl FunctionTranslator<'_> {
    /// Translates `atom` and `red`, which has no result.
    pub(super) fn atomic(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take_one(&["relaxed", "acquire", "release", "acq_rel"]);
        opcode.take_all(&SCOPES);
        opcode.take_one(&SPACES);
        opcode.take("noftz");
        let operation = opcode.take_one(&OPERATIONS).ok_or_else(|| Reason::new("it has no operation"))?;
        let elements = match opcode.take_one(&["v2", "v4", "v8"]) {
            Some(vector) => usize::from(vector.as_bytes()[1] - b'0'),
            None => 1,
        };
        let ty = opcode.take_type()?;
        opcode.finish()?;
        let (target, rest) = match opcode.name {
            "atom" => (&operands[0], &operands[1..]),
            _ => (&Operand::Sink, operands),
        };
        let address = self.address(&rest[0])?;
        if elements == 1 {
            return self.one_atomic(operation, ty, target, &address, &rest[1..]);
        }
        // The elements of a vector are atomic one by one.
        let Operand::Vector(sources) = &rest[1] else {
            return Err(Reason::new("a vector is missing"));
        };
        self.line(&format!("{{ u64 a = {address};"));
        for (index, source) in sources.iter().enumerate() {
            let target = match target {
                Operand::Vector(targets) => targets.get(index).unwrap_or(&Operand::Sink),
                _ => &Operand::Sink,
            };
            let address = format!("(a + {})", index * ty.bytes());
            self.one_atomic(operation, ty, target, &address, std::slice::from_ref(source))?;
        }
        self.line("}");
        Ok(())
    }

    fn one_atomic(
        &mut self,
        operation: &str,
        ty: Type,
        target: &Operand,
        address: &str,
        sources: &[Operand],
    ) -> Result<(), Reason> {
        // The helpers take and return bits.
        let bits = Type::new(Kind::Bits, ty.bits);
        let sources = self.operands_of(sources, bits)?;
        let old = atomic_expression(operation, ty, address, &sources)?;
        self.write(target, bits, &old)
    }

    /// Translates `membar` and `fence`.
    pub(super) fn fence(&mut self, mut opcode: Opcode) -> Result<(), Reason> {
        opcode.take_all(&["sc", "acq_rel", "acquire", "release", "gl", "proxy", "async", "alias"]);
        opcode.take_all(&SCOPES);
        opcode.finish()?;
        self.line("__atomic_thread_fence(__ATOMIC_SEQ_CST);");
        Ok(())
    }
}

/// The C expression of an atomic, which returns the old bits.
fn atomic_expression(operation: &str, ty: Type, address: &str, sources: &[String]) -> Result<String, Reason> {
    let c = Type::new(Kind::Bits, ty.bits).c();
    let name = match (ty.kind, ty.float_suffix(), ty.half().and_then(Type::float_suffix)) {
        (_, Some(suffix), _) => suffix.to_owned(),
        (_, _, Some(suffix)) => format!("{suffix}x2"),
        (Kind::Signed, ..) => format!("i{}", ty.bits),
        _ => format!("u{}", ty.bits),
    };
    Ok(match (operation, sources) {
        ("add" | "and" | "or" | "xor", [value]) if ty.is_integer() && ty.bits >= 32 => {
            format!("__atomic_fetch_{operation}(({c} *){address}, {value}, __ATOMIC_SEQ_CST)")
        }
        ("exch", [value]) => format!("__atomic_exchange_n(({c} *){address}, {value}, __ATOMIC_SEQ_CST)"),
        ("cas", [expected, new]) if ty.bits <= 64 => {
            format!("atom_cas_u{}({address}, {expected}, {new})", ty.bits)
        }
        ("add", [value]) if ty.is_float() => format!("atom_add_{name}({address}, {value})"),
        ("min" | "max", [value]) if ty.bits <= 64 && name != "f64" => {
            format!("atom_{operation}_{name}({address}, {value})")
        }
        ("inc" | "dec", [value]) if name == "u32" => format!("atom_{operation}_u32({address}, {value})"),
        _ => return Err(Reason::new("this atomic is not translated")),
    })
}
