//! Parses variables and parameters, such as `.param .align 8 .b8 info[40]`.

use super::parser::Parser;
use super::{Initial, PtxError, Space, Type, Variable};

impl Parser<'_> {
    /// Parses a variable with its values and its `;`.
    pub(super) fn variable_statement(&mut self) -> Result<Variable, PtxError> {
        let variable = self.variable()?;
        self.expect(";")?;
        Ok(variable)
    }

    /// Parses a variable from its state space to its values.
    pub(super) fn variable(&mut self) -> Result<Variable, PtxError> {
        let space = self.word()?;
        let space = Space::parse(&space[1..]).ok_or_else(|| self.unexpected("a state space"))?;
        let mut align = None;
        let element = loop {
            let word = self.peek()?;
            self.next()?;
            match word {
                ".align" => align = Some(self.integer()? as usize),
                // `.ptr .global .align 1` describes what a parameter points at.
                ".ptr" => self.pointer_attributes()?,
                ".attribute" => self.skip_attribute()?,
                _ => {
                    break word
                        .strip_prefix('.')
                        .and_then(Type::parse)
                        .ok_or_else(|| self.unexpected("a type"))?;
                }
            }
            // The attributes of a pointer follow its type.
        };
        if self.take(".ptr") {
            self.pointer_attributes()?;
        }
        let name = self.word()?.to_owned();
        let elements = self.elements()?;
        let mut initial = Vec::new();
        if self.take("=") {
            self.values(&mut initial)?;
        }
        let elements = elements.unwrap_or(initial.len()) * element.bytes();
        let align = align.unwrap_or(element.bytes());
        Ok(Variable { name, space, align, element, bytes: elements, is_extern: false, initial })
    }

    fn pointer_attributes(&mut self) -> Result<(), PtxError> {
        loop {
            match self.peek()? {
                ".global" | ".const" | ".shared" | ".local" => self.next()?,
                ".align" => {
                    self.next()?;
                    self.next()?
                }
                _ => return Ok(()),
            };
        }
    }

    fn skip_attribute(&mut self) -> Result<(), PtxError> {
        while self.next()?.text != ")" {}
        Ok(())
    }

    /// Parses `[2][4]`: the number of elements, or nothing for `[]`. A scalar has one.
    fn elements(&mut self) -> Result<Option<usize>, PtxError> {
        let mut elements = Some(1);
        while self.take("[") {
            if self.take("]") {
                elements = None;
                continue;
            }
            let length = self.integer()? as usize;
            elements = elements.map(|elements| elements * length);
            self.expect("]")?;
        }
        Ok(elements)
    }

    fn values(&mut self, initial: &mut Vec<Initial>) -> Result<(), PtxError> {
        if !self.take("{") {
            initial.push(self.value()?);
            return Ok(());
        }
        while !self.take("}") {
            self.values(initial)?;
            self.take(",");
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Initial, PtxError> {
        let is_generic = self.take("generic");
        if is_generic {
            self.expect("(")?;
        }
        let value = match self.operand()? {
            super::Operand::Integer(value) => Initial::Bits(value as u64),
            super::Operand::Single(bits) => Initial::Bits(u64::from(bits)),
            super::Operand::Double(bits) => Initial::Bits(bits),
            super::Operand::Name(name) => Initial::Address(name, 0),
            super::Operand::Offset(name, offset) => Initial::Address(name, offset),
            _ => return Err(self.unexpected("a value")),
        };
        if !is_generic {
            return Ok(value);
        }
        self.expect(")")?;
        Ok(match value {
            Initial::Address(name, offset) if self.take("+") => {
                Initial::Address(name, offset + self.integer()? as i64)
            }
            value => value,
        })
    }
}
