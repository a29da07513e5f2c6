//! Control: branches, calls, returns and traps.

use super::Reason;
use super::function::FunctionTranslator;
use super::names::{label_name, symbol_name};
use super::opcode::Opcode;
use crate::ptx::{Operand, Type};

impl FunctionTranslator<'_> {
    /// Translates `bra`.
    pub(super) fn branch(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take("uni");
        opcode.finish()?;
        let [Operand::Name(label)] = operands else {
            return Err(Reason::new("a label is missing"));
        };
        self.line(&format!("goto {};", label_name(label)));
        Ok(())
    }

    /// Translates `brx.idx`, a branch to one of the labels of a table.
    pub(super) fn branch_indexed(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take_all(&["idx", "uni"]);
        opcode.finish()?;
        let [index, Operand::Name(table)] = operands else {
            return Err(Reason::new("a table is missing"));
        };
        let targets = self.branch_targets.get(table).cloned();
        let targets = targets.ok_or_else(|| Reason(format!("`{table}` is not a table of labels")))?;
        let index = self.read(index, Type::U32)?;
        self.line(&format!("switch ({index}) {{"));
        for (value, target) in targets.iter().enumerate() {
            self.line(&format!("case {value}: goto {};", label_name(target)));
        }
        self.line("default: __builtin_trap(); }");
        Ok(())
    }

    /// Translates `call (result), function, (arguments)`. Arguments are addresses of `.param` variables.
    pub(super) fn call(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        opcode.take("uni");
        opcode.finish()?;
        let mut arguments = vec!["t".to_owned()];
        let mut function = None;
        for operand in operands {
            match operand {
                Operand::List(names) => {
                    for name in names {
                        let Operand::Name(name) = name else {
                            return Err(Reason::new("an argument is not a .param variable"));
                        };
                        arguments.push(self.address_of(name)?);
                    }
                }
                Operand::Name(name) if function.is_none() => function = Some(name),
                _ => return Err(Reason::new("this form is not translated")),
            }
        }
        let function = function.ok_or_else(|| Reason::new("a function is missing"))?;
        if function != "vprintf" && !self.functions.contains(function.as_str()) {
            return Err(Reason(format!("function `{function}` has no body")));
        }
        self.calls.push(function.clone());
        self.line(&format!("{}({});", symbol_name(function), arguments.join(", ")));
        Ok(())
    }

    /// Translates `ret` and `exit`.
    pub(super) fn leave(&mut self, mut opcode: Opcode) -> Result<(), Reason> {
        opcode.take("uni");
        opcode.finish()?;
        if opcode.name == "exit" && !self.is_entry {
            return Err(Reason::new("exit from a device function is not translated"));
        }
        self.line("return;");
        Ok(())
    }

    /// Translates `trap`: the emulator stops with a message.
    pub(super) fn trap(&mut self, opcode: Opcode) -> Result<(), Reason> {
        opcode.finish()?;
        let name = self.name.to_owned();
        self.line(&format!("t->block->trap(t->block, \"{name}\");"));
        Ok(())
    }
}
