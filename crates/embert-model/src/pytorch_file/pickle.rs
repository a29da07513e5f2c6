//! A reader of pickles that executes nothing: a stack machine for the opcodes and globals of state dicts.
//!
//! It does what `Lib/pickle.py` of CPython does for these opcodes. Everything else is refused.

use std::collections::BTreeMap;
use std::io::Read;

use super::calls::{call, check_state, storage};
use super::globals::Global;
use super::objects::{Objects, Value};
use super::opcodes::*;
use super::problem::{Problem, damaged, refused};

/// Maximum length of the pickles in a file. A state dict has about 150 bytes for each tensor.
pub(super) const MAX_LENGTH: u64 = 16 << 20;

/// Maximum length of a line of the opcode `GLOBAL`.
const MAX_LINE: usize = 1024;

/// Reads one pickle. Returns its objects and the value at its top level.
pub(super) fn read_pickle(input: &mut impl Read) -> Result<(Objects, Value), Problem> {
    let mut machine =
        Machine { input, objects: Objects::default(), stack: vec![], marks: vec![], memo: BTreeMap::new() };
    loop {
        match machine.byte()? {
            STOP => break,
            opcode => machine.step(opcode)?,
        }
    }
    let root = machine.pop()?;
    Ok((machine.objects, root))
}

struct Machine<'a, R> {
    input: &'a mut R,
    objects: Objects,
    stack: Vec<Value>,
    /// Lengths of the stack at the open marks.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value>,
}

impl<R: Read> Machine<'_, R> {
    fn step(&mut self, opcode: u8) -> Result<(), Problem> {
        match opcode {
            PROTO => self.protocol(),
            FRAME => self.bytes::<8>().map(drop),
            MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            APPEND | APPENDS | SETITEM | SETITEMS => self.add_items(opcode),
            BUILD => {
                let state = self.pop()?;
                check_state(self.top()?, state)
            }
            BINPUT | LONG_BINPUT | MEMOIZE => self.put(opcode),
            _ => {
                let value = self.new_value(opcode)?;
                self.stack.push(value);
                Ok(())
            }
        }
    }

    /// Returns the value that an opcode pushes.
    fn new_value(&mut self, opcode: u8) -> Result<Value, Problem> {
        match opcode {
            NONE => Ok(Value::None),
            NEWTRUE => Ok(Value::Bool(true)),
            NEWFALSE => Ok(Value::Bool(false)),
            BINFLOAT => self.bytes::<8>().map(|_| Value::Float),
            BININT | BININT1 | BININT2 | LONG1 => self.int(opcode),
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 => self.string(opcode),
            EMPTY_LIST => Ok(self.objects.new_list()),
            EMPTY_DICT => Ok(self.objects.new_dict()),
            EMPTY_TUPLE | TUPLE1 | TUPLE2 | TUPLE3 | TUPLE => self.tuple(opcode),
            BINGET | LONG_BINGET => self.get(opcode),
            GLOBAL | STACK_GLOBAL => self.global(opcode),
            REDUCE => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                call(&mut self.objects, function, arguments)
            }
            BINPERSID => {
                let id = self.pop()?;
                storage(&mut self.objects, id)
            }
            _ => Err(match refused_name(opcode) {
                Some(name) => refused(format!("the opcode {name} is not allowed")),
                None => damaged(format!("{opcode:#04x} is no opcode of a pickle")),
            }),
        }
    }

    fn protocol(&mut self) -> Result<(), Problem> {
        match self.byte()? {
            2..=5 => Ok(()),
            other => Err(refused(format!("protocol {other} of pickle is not supported, only 2 to 5"))),
        }
    }

    fn int(&mut self, opcode: u8) -> Result<Value, Problem> {
        let value = match opcode {
            BININT => i32::from_le_bytes(self.bytes()?).into(),
            BININT1 => self.byte()?.into(),
            BININT2 => u16::from_le_bytes(self.bytes()?).into(),
            _ => self.long()?,
        };
        Ok(Value::Int(value))
    }

    /// Reads a little-endian integer with its length.
    fn long(&mut self) -> Result<i64, Problem> {
        let length = usize::from(self.byte()?);
        let mut bytes = [0; 8];
        let Some(used) = bytes.get_mut(..length) else {
            return Err(damaged(format!("an integer of {length} bytes is too large")));
        };
        self.input.read_exact(used)?;
        let unused_bits = 64 - 8 * length as u32;
        let shifted = i64::from_le_bytes(bytes).checked_shl(unused_bits).unwrap_or(0);
        Ok(shifted.checked_shr(unused_bits).unwrap_or(0)) // extends the sign
    }

    fn string(&mut self, opcode: u8) -> Result<Value, Problem> {
        let length = match opcode {
            SHORT_BINUNICODE => self.byte()?.into(),
            BINUNICODE => u32::from_le_bytes(self.bytes()?).into(),
            _ => u64::from_le_bytes(self.bytes()?),
        };
        let mut bytes = vec![];
        // Memory grows with the bytes that the file has.
        let read = self.input.by_ref().take(length).read_to_end(&mut bytes)?;
        if read as u64 != length {
            return Err(damaged(format!("a string of {length} bytes does not fit in the file")));
        }
        Ok(self.objects.new_str(text(bytes)?))
    }

    fn tuple(&mut self, opcode: u8) -> Result<Value, Problem> {
        let items = match opcode {
            EMPTY_TUPLE => vec![],
            TUPLE => self.pop_to_mark()?,
            _ => {
                let mut items = (TUPLE1..=opcode).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                items
            }
        };
        Ok(self.objects.new_tuple(items))
    }

    fn global(&mut self, opcode: u8) -> Result<Value, Problem> {
        let global = if opcode == GLOBAL {
            let (module, name) = (self.line()?, self.line()?);
            Global::find(&module, &name)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            Global::find(self.objects.str(module)?, self.objects.str(name)?)
        };
        global.map(Value::Global)
    }

    /// Adds items to a list, or pairs to a dict.
    fn add_items(&mut self, opcode: u8) -> Result<(), Problem> {
        let items = match opcode {
            APPEND => vec![self.pop()?],
            SETITEM => {
                let (value, key) = (self.pop()?, self.pop()?);
                vec![key, value]
            }
            _ => self.pop_to_mark()?,
        };
        let target = self.top()?;
        if matches!(opcode, APPEND | APPENDS) {
            self.objects.list(target)?.extend(items);
            return Ok(());
        }
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(damaged("a key of a dict has no value"));
        }
        self.objects.dict(target)?.extend(pairs.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn put(&mut self, opcode: u8) -> Result<(), Problem> {
        let index = match opcode {
            BINPUT => self.byte()?.into(),
            LONG_BINPUT => u32::from_le_bytes(self.bytes()?),
            _ => self.memo.len() as u32,
        };
        let value = self.top()?;
        self.memo.insert(index, value);
        Ok(())
    }

    fn get(&mut self, opcode: u8) -> Result<Value, Problem> {
        let index = if opcode == BINGET { self.byte()?.into() } else { u32::from_le_bytes(self.bytes()?) };
        let value = self.memo.get(&index).copied();
        value.ok_or_else(|| damaged(format!("the memo of the pickle has no entry {index}")))
    }

    /// Returns the last value after the last mark.
    fn top(&self) -> Result<Value, Problem> {
        let begin = self.marks.last().copied().unwrap_or(0);
        self.stack[begin..].last().copied().ok_or_else(|| damaged("the stack of the pickle is empty"))
    }

    fn pop(&mut self) -> Result<Value, Problem> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Problem> {
        let begin = self.marks.pop().ok_or_else(|| damaged("the stack of the pickle has no mark"))?;
        Ok(self.stack.split_off(begin))
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        self.bytes().map(|[byte]| byte)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String, Problem> {
        let mut line = vec![];
        loop {
            match self.byte()? {
                b'\n' => return text(line),
                _ if line.len() == MAX_LINE => return Err(damaged("the name of a global is too long")),
                byte => line.push(byte),
            }
        }
    }
}

fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| damaged("a string of the pickle is not UTF-8"))
}
