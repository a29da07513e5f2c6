//! Parses operands, such as `%r1`, `0f3F800000`, `[%rd1+8]` and `{%r1, _}`.

use super::parser::{Parser, integer};
use super::{Operand, PtxError};

impl Parser<'_> {
    /// Parses the operands of an instruction and its `;`.
    pub(super) fn operands(&mut self) -> Result<Vec<Operand>, PtxError> {
        let mut operands = Vec::new();
        while !self.take(";") {
            operands.push(self.paired_operand()?);
            if !self.take(",") && !self.is(";") {
                return Err(self.unexpected("`,` or `;`"));
            }
        }
        Ok(operands)
    }

    /// Parses an operand that may be `a|b`.
    fn paired_operand(&mut self) -> Result<Operand, PtxError> {
        let first = self.operand()?;
        if !self.take("|") {
            return Ok(first);
        }
        Ok(Operand::Pair(Box::new(first), Box::new(self.operand()?)))
    }

    /// Parses one operand.
    pub(super) fn operand(&mut self) -> Result<Operand, PtxError> {
        match self.peek()? {
            "[" => self.address(),
            "{" => Ok(Operand::Vector(self.list("{", "}")?)),
            "(" => Ok(Operand::List(self.list("(", ")")?)),
            "!" => {
                self.next()?;
                Ok(Operand::Not(self.word()?.to_owned()))
            }
            "-" => Ok(Operand::Integer(self.integer()?)),
            "_" => {
                self.next()?;
                Ok(Operand::Sink)
            }
            _ => self.named(),
        }
    }

    /// Parses a literal or a name with an optional offset.
    fn named(&mut self) -> Result<Operand, PtxError> {
        let word = self.word()?;
        if let Some(literal) = literal(word) {
            return Ok(literal);
        }
        Ok(match self.offset()? {
            0 => Operand::Name(word.to_owned()),
            offset => Operand::Offset(word.to_owned(), offset),
        })
    }

    /// Parses `+8`, `+-8` or `-8`; nothing is 0.
    fn offset(&mut self) -> Result<i64, PtxError> {
        if self.take("+") || self.is("-") { Ok(self.integer()? as i64) } else { Ok(0) }
    }

    fn address(&mut self) -> Result<Operand, PtxError> {
        self.expect("[")?;
        let (base, offset) = match self.operand()? {
            Operand::Offset(name, offset) => (Operand::Name(name), offset),
            base => (base, 0),
        };
        self.expect("]")?;
        Ok(Operand::Address(Box::new(base), offset))
    }

    fn list(&mut self, open: &'static str, close: &'static str) -> Result<Vec<Operand>, PtxError> {
        self.expect(open)?;
        let mut operands = Vec::new();
        while !self.take(close) {
            operands.push(self.operand()?);
            self.take(",");
        }
        Ok(operands)
    }
}

/// Reads a number, or nothing if `word` is a name.
fn literal(word: &str) -> Option<Operand> {
    let hexadecimal = |digits: &str| u64::from_str_radix(digits, 16).ok();
    match word.get(..2) {
        Some("0f" | "0F") if word.len() == 10 => Some(Operand::Single(hexadecimal(&word[2..])? as u32)),
        Some("0d" | "0D") if word.len() == 18 => Some(Operand::Double(hexadecimal(&word[2..])?)),
        _ if word.starts_with(|first: char| first.is_ascii_digit()) => integer(word).map(Operand::Integer),
        _ => None,
    }
}
