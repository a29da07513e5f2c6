//! Matrix instructions: `ldmatrix`, `stmatrix`, `mma` and `wmma`.

use super::Reason;
use super::collective::sync;
use super::function::FunctionTranslator;
use super::memory::SPACES;
use super::opcode::Opcode;
use crate::emulator::{Collective, Element, Fragment, Product, Shape};
use crate::ptx::{Operand, Type};

impl FunctionTranslator<'_> {
    pub(super) fn load_matrix(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let (count, is_transposed) = matrices(&mut opcode)?;
        let targets = vector(&operands[0], count)?;
        let address = self.address(&operands[1])?;
        self.line(&format!("t->address = {address};"));
        self.meet(Collective::LoadMatrix { count, is_transposed }, "0xffffffff")?;
        self.write_registers(targets)
    }

    pub(super) fn store_matrix(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let (count, is_transposed) = matrices(&mut opcode)?;
        let address = self.address(&operands[0])?;
        self.line(&format!("t->address = {address};"));
        self.pass_registers(0, vector(&operands[1], count)?)?;
        self.meet(Collective::StoreMatrix { count, is_transposed }, "0xffffffff")
    }

    /// Translates `mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 d, a, b, c`.
    pub(super) fn multiply_matrices(
        &mut self,
        mut opcode: Opcode,
        operands: &[Operand],
    ) -> Result<(), Reason> {
        sync(&mut opcode)?;
        let shape = shape(&mut opcode)?;
        opcode.take_all(&["aligned", "row", "col"]);
        let saturates = opcode.take("satfinite");
        let mut element =
            || opcode.take_first(Element::parse).ok_or_else(|| Reason::new("it has too few types"));
        let (d, a, b, c) = (element()?, element()?, element()?, element()?);
        opcode.finish()?;
        let product = Product { shape, a, b, c, d, saturates };
        if !product.is_mma() {
            return Err(Reason::new("this shape is not translated"));
        }
        self.matrix_product(Collective::Multiply(product), &product.mma_registers(), operands)
    }

    pub(super) fn wmma(&mut self, mut opcode: Opcode, operands: &[Operand]) -> Result<(), Reason> {
        let action = opcode.take_one(&["load", "store", "mma"]);
        sync(&mut opcode)?;
        let shape = shape(&mut opcode)?;
        opcode.take("aligned");
        match action {
            Some("load") => self.load_fragment(opcode, shape, operands),
            Some("store") => self.store_fragment(opcode, shape, operands),
            Some("mma") => self.multiply_fragments(opcode, shape, operands),
            _ => Err(Reason::new("this form is not translated")),
        }
    }

    fn load_fragment(&mut self, opcode: Opcode, shape: Shape, operands: &[Operand]) -> Result<(), Reason> {
        let (fragment, is_row_major) = fragment(opcode, shape)?;
        let targets = vector(&operands[0], fragment.registers())?;
        self.memory_of_fragment(&operands[1], operands.get(2), fragment, is_row_major)?;
        self.meet(Collective::LoadFragment { fragment, is_row_major }, "0xffffffff")?;
        self.write_registers(targets)
    }

    fn store_fragment(&mut self, opcode: Opcode, shape: Shape, operands: &[Operand]) -> Result<(), Reason> {
        let (fragment, is_row_major) = fragment(opcode, shape)?;
        self.memory_of_fragment(&operands[0], operands.get(2), fragment, is_row_major)?;
        self.pass_registers(1, vector(&operands[1], fragment.registers())?)?;
        self.meet(Collective::StoreFragment { fragment, is_row_major }, "0xffffffff")
    }

    /// Passes the address and, as `t->in[0]`, the elements between two rows or columns.
    fn memory_of_fragment(
        &mut self,
        address: &Operand,
        stride: Option<&Operand>,
        fragment: Fragment,
        is_row_major: bool,
    ) -> Result<(), Reason> {
        let address = self.address(address)?;
        self.line(&format!("t->address = {address};"));
        let stride = match stride {
            Some(stride) => self.read(stride, Type::U32)?,
            None if is_row_major => fragment.columns().to_string(),
            None => fragment.rows().to_string(),
        };
        self.pass(0, &stride);
        Ok(())
    }

    fn multiply_fragments(
        &mut self,
        mut opcode: Opcode,
        shape: Shape,
        operands: &[Operand],
    ) -> Result<(), Reason> {
        opcode.take_all(&["row", "col"]);
        let saturates = opcode.take("satfinite");
        let mut elements = Vec::new();
        while let Some(element) = opcode.take_first(Element::parse) {
            elements.push(element);
        }
        opcode.finish()?;
        let (d, a, b, c) = match elements[..] {
            [d, c] => (d, Element::F16, Element::F16, c),
            [d, a, b, c] => (d, a, b, c),
            _ => return Err(Reason::new("it has another number of types")),
        };
        let product = Product { shape, a, b, c, d, saturates };
        self.matrix_product(Collective::MultiplyFragments(product), &product.wmma_registers(), operands)
    }

    /// Emits `d = a * b + c` with the numbers of registers of d, a, b and c.
    fn matrix_product(
        &mut self,
        collective: Collective,
        registers: &[usize; 4],
        operands: &[Operand],
    ) -> Result<(), Reason> {
        if operands.len() < 4 {
            return Err(Reason::new("it has too few operands"));
        }
        let mut first = 0;
        for (operand, count) in operands[1..].iter().zip(&registers[1..]) {
            self.pass_registers(first, vector(operand, *count)?)?;
            first += count;
        }
        self.meet(collective, "0xffffffff")?;
        self.write_registers(vector(&operands[0], registers[0])?)
    }

    fn pass_registers(&mut self, first: usize, sources: &[Operand]) -> Result<(), Reason> {
        for (index, source) in sources.iter().enumerate() {
            let value = self.read(source, Type::B32)?;
            self.pass(first + index, &value);
        }
        Ok(())
    }

    fn write_registers(&mut self, targets: &[Operand]) -> Result<(), Reason> {
        for (index, target) in targets.iter().enumerate() {
            self.write(target, Type::B32, &format!("t->out[{index}]"))?;
        }
        Ok(())
    }
}

/// The registers of a vector of `count`; one register needs no braces.
fn vector(operand: &Operand, count: usize) -> Result<&[Operand], Reason> {
    let registers = match operand {
        Operand::Vector(registers) => registers.as_slice(),
        register => std::slice::from_ref(register),
    };
    if registers.len() == count {
        return Ok(registers);
    }
    Err(Reason(format!("a matrix has {} registers instead of {count}", registers.len())))
}

/// Reads the common modifiers of `ldmatrix` and `stmatrix`.
fn matrices(opcode: &mut Opcode) -> Result<(usize, bool), Reason> {
    sync(opcode)?;
    let count = match opcode.take_one(&["x1", "x2", "x4"]) {
        Some("x1") => 1,
        Some("x2") => 2,
        Some("x4") => 4,
        _ => return Err(Reason::new("it has no number of matrices")),
    };
    let is_transposed = opcode.take("trans");
    opcode.take_all(&["aligned", "m8n8", "b16"]);
    opcode.take_one(&SPACES);
    opcode.finish()?;
    Ok((count, is_transposed))
}

fn shape(opcode: &mut Opcode) -> Result<Shape, Reason> {
    opcode.take_first(Shape::parse).ok_or_else(|| Reason::new("it has no shape"))
}

/// Reads the matrix, layout and type of a `wmma.load` or `wmma.store`.
fn fragment(mut opcode: Opcode, shape: Shape) -> Result<(Fragment, bool), Reason> {
    let matrix = opcode.take_one(&["a", "b", "c", "d"]).ok_or_else(|| Reason::new("it has no matrix"))?;
    let is_row_major = opcode.take_one(&["row", "col"]) == Some("row");
    opcode.take_one(&SPACES);
    let element = opcode.take_first(Element::parse).ok_or_else(|| Reason::new("it has no type"))?;
    opcode.finish()?;
    let fragment = match matrix {
        "a" => Fragment::a(shape, element),
        "b" => Fragment::b(shape, element),
        _ => Fragment::accumulator(shape, element),
    };
    Ok((fragment, is_row_major))
}
