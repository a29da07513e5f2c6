//! Parses the body of a function into statements.

use super::parser::Parser;
use super::{Instruction, PtxError, RegisterBank, Statement, Type};

impl Parser<'_> {
    /// Parses from `{` to the matching `}`.
    pub(super) fn body(&mut self) -> Result<Vec<Statement>, PtxError> {
        self.expect("{")?;
        let mut statements = Vec::new();
        let mut depth = 1;
        loop {
            match self.peek()? {
                "{" => {
                    self.next()?;
                    depth += 1;
                    statements.push(Statement::Open);
                }
                "}" => {
                    self.next()?;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(statements);
                    }
                    statements.push(Statement::Close);
                }
                ".loc" | ".pragma" | ".file" => self.skip_directive(),
                ".reg" => self.registers(&mut statements)?,
                ".local" | ".shared" | ".param" => {
                    statements.push(Statement::Variable(self.variable_statement()?));
                }
                _ if self.peek_second() == Some(":") => statements.push(self.label()?),
                _ => statements.push(Statement::Instruction(self.instruction()?)),
            }
        }
    }

    /// Parses `.reg .b32 %r<10>, %a;`.
    fn registers(&mut self, statements: &mut Vec<Statement>) -> Result<(), PtxError> {
        self.expect(".reg")?;
        let ty = self.word()?.strip_prefix('.').and_then(Type::parse);
        let ty = ty.ok_or_else(|| self.unexpected("the type of registers"))?;
        loop {
            let name = self.word()?.to_owned();
            let mut count = None;
            if self.take("<") {
                count = Some(self.integer()? as u32);
                self.expect(">")?;
            }
            statements.push(Statement::Registers(RegisterBank { ty, name, count }));
            if self.take(";") {
                return Ok(());
            }
            self.expect(",")?;
        }
    }

    /// Parses a label, or the table of a `brx.idx`.
    fn label(&mut self) -> Result<Statement, PtxError> {
        let name = self.word()?.to_owned();
        self.expect(":")?;
        if !self.take(".branchtargets") {
            return Ok(Statement::Label(name));
        }
        let mut targets = Vec::new();
        while !self.take(";") {
            targets.push(self.word()?.to_owned());
            self.take(",");
        }
        Ok(Statement::BranchTargets(name, targets))
    }

    fn instruction(&mut self) -> Result<Instruction, PtxError> {
        let mut guard = None;
        if self.take("@") {
            let is_negated = self.take("!");
            guard = Some((self.word()?.to_owned(), is_negated));
        }
        let line = self.line();
        let opcode = self.word()?.to_owned();
        Ok(Instruction { guard, opcode, operands: self.operands()?, line })
    }
}

#[cfg(test)]
mod tests {
    use crate::ptx::{Operand, Statement, parse};

    fn instructions(body: &str) -> Vec<(String, Vec<Operand>)> {
        let module = parse(&format!(".visible .entry k(.param .u64 .ptr .global .align 1 p)\n{{{body}}}"));
        let body = module.unwrap().functions.remove(0).body.unwrap();
        let instruction = |statement| match statement {
            Statement::Instruction(instruction) => Some((instruction.opcode, instruction.operands)),
            _ => None,
        };
        body.into_iter().filter_map(instruction).collect()
    }

    #[test]
    fn operands_of_every_form_are_read() {
        let found = instructions("@!%p1 shfl.sync.up.b32 %r2|%p2, {%r1, _}, [a+-8], -1, !%p3, 0f3F800000;");
        let name = |name: &str| Operand::Name(name.to_owned());
        let expected = [
            Operand::Pair(Box::new(name("%r2")), Box::new(name("%p2"))),
            Operand::Vector(vec![name("%r1"), Operand::Sink]),
            Operand::Address(Box::new(name("a")), -8),
            Operand::Integer(-1),
            Operand::Not("%p3".to_owned()),
            Operand::Single(0x3f80_0000),
        ];
        assert_eq!(found, [("shfl.sync.up.b32".to_owned(), expected.to_vec())]);
    }
}
