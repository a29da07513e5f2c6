//! Memory: `ld` and `st`, with vectors and orderings.

use super::Reason;
use super::function::FunctionTranslator;
use super::opcode::Opcode;
use crate::ptx::{Operand, Type};

/// State spaces. They are one memory here.
pub(super) const SPACES: [&str; 9] = [
    "global",
    "shared",
    "shared::cta",
    "shared::cluster",
    "local",
    "const",
    "param",
    "param::entry",
    "param::func",
];

/// Scopes of orderings. Every ordering here is that of the system.
pub(super) const SCOPES: [&str; 4] = ["cta", "cluster", "gpu", "sys"];

/// Hints about caches, without meaning for the result.
const HINTS: [&str; 20] = [
    "ca",
    "cg",
    "cs",
    "lu",
    "cv",
    "wb",
    "wt",
    "nc",
    "L1::evict_normal",
    "L1::evict_unchanged",
    "L1::evict_first",
    "L1::evict_last",
    "L1::no_allocate",
    "L2::64B",
    "L2::128B",
    "L2::256B",
    "L2::evict_last",
    "L2::evict_normal",
    "L2::evict_first",
    "unified",
];

/// How an access is ordered.
#[derive(Clone, Copy)]
enum Order {
    Plain,
    Volatile,
    /// The C name of an ordering of atomics.
    Atomic(&'static str),
}

/// The parts of the opcode of an access.
struct Access {
    order: Order,
    elements: usize,
    ty: Type,
}

impl Access {
    fn parse(mut opcode: Opcode) -> Result<Self, Reason> {
        let order = match opcode.take_one(&["weak", "volatile", "relaxed", "acquire", "release", "mmio"]) {
            None | Some("weak") => Order::Plain,
            Some("relaxed") => Order::Atomic("__ATOMIC_RELAXED"),
            Some("acquire") => Order::Atomic("__ATOMIC_ACQUIRE"),
            Some("release") => Order::Atomic("__ATOMIC_RELEASE"),
            _ => Order::Volatile,
        };
        opcode.take_all(&SCOPES);
        opcode.take_one(&SPACES);
        opcode.take_all(&HINTS);
        let elements = match opcode.take_one(&["v2", "v4", "v8"]) {
            Some(vector) => usize::from(vector.as_bytes()[1] - b'0'),
            None => 1,
        };
        let ty = opcode.take_type()?;
        opcode.finish()?;
        Ok(Self { order, elements, ty })
    }

    /// The C type of the memory of an element: its bits.
    fn c(&self) -> &'static str {
        match self.ty.bits {
            8 => "u8",
            16 => "u16",
            32 => "u32",
            64 => "u64",
            _ => "u128",
        }
    }

    fn load(&self, address: &str) -> String {
        let c = self.c();
        let bits = match self.order {
            Order::Plain => format!("AT({c}, {address})"),
            Order::Volatile => format!("AT_VOLATILE({c}, {address})"),
            Order::Atomic(order) => format!("__atomic_load_n(({c} *)({address}), {order})"),
        };
        match (self.ty.c(), self.ty.is_float()) {
            ("float", _) => format!("f32({bits})"),
            ("double", _) => format!("f64({bits})"),
            (c, _) => format!("({c}){bits}"),
        }
    }

    fn store(&self, address: &str, value: &str) -> String {
        let c = self.c();
        let bits = match self.ty.c() {
            "float" => format!("bits32({value})"),
            "double" => format!("bits64({value})"),
            _ => format!("({c})({value})"),
        };
        match self.order {
            Order::Plain => format!("AT({c}, {address}) = {bits};"),
            Order::Volatile => format!("AT_VOLATILE({c}, {address}) = {bits};"),
            Order::Atomic(order) => format!("__atomic_store_n(({c} *)({address}), {bits}, {order});"),
        }
    }
}

impl FunctionTranslator<'_> {
    /// Translates `ld`. The destination may be part of the address, so that the address is computed first.
    pub(super) fn load(&mut self, opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let access = Access::parse(opcode)?;
        let [target, address] = operands else {
            return Err(Reason::new("a load has two operands"));
        };
        let address = self.address(address)?;
        if access.elements == 1 {
            return self.write(single(target), access.ty, &access.load(&address));
        }
        let Operand::Vector(targets) = target else {
            return Err(Reason::new("a vector is missing"));
        };
        if targets.len() != access.elements {
            return Err(Reason::new("a vector has another length"));
        }
        self.begin_vector(&address, &access);
        for (index, target) in targets.iter().enumerate() {
            if *target != Operand::Sink {
                let from = format!("a + {}", index * access.ty.bytes());
                self.write(target, access.ty, &access.load(&from))?;
            }
        }
        self.line("}");
        Ok(())
    }

    /// Begins a scope with the address `a` of a vector, which is a multiple of the vector's size on a GPU.
    fn begin_vector(&mut self, address: &str, access: &Access) {
        let (bytes, name) = (access.elements * access.ty.bytes(), self.name);
        self.line(&format!(
            "{{ u64 a = {address}; if (a & {}) t->block->misaligned(t->block, \"{name}\", a, {bytes});",
            bytes - 1
        ));
    }

    /// Translates `st`.
    pub(super) fn store(&mut self, opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let access = Access::parse(opcode)?;
        let [address, source] = operands else {
            return Err(Reason::new("a store has two operands"));
        };
        let address = self.address(address)?;
        if access.elements == 1 {
            let value = self.read(single(source), access.ty)?;
            self.line(&access.store(&address, &value));
            return Ok(());
        }
        let Operand::Vector(sources) = source else {
            return Err(Reason::new("a vector is missing"));
        };
        if sources.len() != access.elements {
            return Err(Reason::new("a vector has another length"));
        }
        self.begin_vector(&address, &access);
        for (index, source) in sources.iter().enumerate() {
            let value = self.read(source, access.ty)?;
            self.line(&access.store(&format!("a + {}", index * access.ty.bytes()), &value));
        }
        self.line("}");
        Ok(())
    }
}

/// The element of a vector of one.
fn single(operand: &Operand) -> &Operand {
    match operand {
        Operand::Vector(parts) if parts.len() == 1 => &parts[0],
        operand => operand,
    }
}
