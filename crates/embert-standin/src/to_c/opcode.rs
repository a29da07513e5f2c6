//! An opcode such as `ld.global.nc.v4.b32`: its name, and the modifiers that are not yet translated.

use super::Reason;
use crate::ptx::Type;

/// An opcode. Each translation takes the modifiers it knows; a modifier that remains is an error.
pub(super) struct Opcode<'a> {
    pub(super) name: &'a str,
    modifiers: Vec<&'a str>,
}

impl<'a> Opcode<'a> {
    pub(super) fn new(opcode: &'a str) -> Self {
        let mut parts = opcode.split('.');
        let name = parts.next().unwrap_or_default();
        Self { name, modifiers: parts.collect() }
    }

    /// Takes `modifier`, if it is present.
    pub(super) fn take(&mut self, modifier: &str) -> bool {
        self.take_one(&[modifier]).is_some()
    }

    /// Takes the first modifier that is one of `names`.
    pub(super) fn take_one(&mut self, names: &[&str]) -> Option<&'a str> {
        let at = self.modifiers.iter().position(|modifier| names.contains(modifier))?;
        Some(self.modifiers.remove(at))
    }

    /// Takes all modifiers that are one of `names`.
    pub(super) fn take_all(&mut self, names: &[&str]) {
        while self.take_one(names).is_some() {}
    }

    /// Takes the first modifier for which `read` returns something.
    pub(super) fn take_first<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (at, value) = self.modifiers.iter().enumerate().find_map(|(at, text)| Some((at, read(text)?)))?;
        self.modifiers.remove(at);
        Some(value)
    }

    /// Takes the first type.
    pub(super) fn take_type(&mut self) -> Result<Type, Reason> {
        self.take_first(Type::parse).ok_or_else(|| Reason::new("it has no type"))
    }

    /// Fails if a modifier remains.
    pub(super) fn finish(&self) -> Result<(), Reason> {
        match self.modifiers.first() {
            None => Ok(()),
            Some(modifier) => Err(Reason(format!("unknown modifier .{modifier}"))),
        }
    }
}

/// Rounding of a floating-point result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Nearest,
    Zero,
    Down,
    Up,
}

impl Rounding {
    /// Reads `rn`, `rz`, `rm` or `rp`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "rn" => Rounding::Nearest,
            "rz" => Rounding::Zero,
            "rm" => Rounding::Down,
            "rp" => Rounding::Up,
            _ => return None,
        })
    }

    /// Reads the rounding to an integral value: `rni`, `rzi`, `rmi` or `rpi`.
    pub(super) fn parse_integral(name: &str) -> Option<Self> {
        name.strip_suffix('i').and_then(Self::parse)
    }
}
