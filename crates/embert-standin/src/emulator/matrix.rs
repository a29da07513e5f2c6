//! Matrices of a warp: their elements, shapes and fragments, and `ldmatrix` and `stmatrix`.

use super::lanes::Lanes;
use super::number;

/// The type of the elements of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Element {
    F16,
    Bf16,
    Tf32,
    F32,
    S8,
    U8,
    S32,
}

impl Element {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "f16" => Element::F16,
            "bf16" => Element::Bf16,
            "tf32" => Element::Tf32,
            "f32" => Element::F32,
            "s8" => Element::S8,
            "u8" => Element::U8,
            "s32" => Element::S32,
            _ => return None,
        })
    }

    pub(super) fn bits(self) -> usize {
        match self {
            Element::S8 | Element::U8 => 8,
            Element::F16 | Element::Bf16 => 16,
            Element::Tf32 | Element::F32 | Element::S32 => 32,
        }
    }

    pub(super) fn per_register(self) -> usize {
        32 / self.bits()
    }

    /// The values of all elements of a register.
    #[inline]
    pub(super) fn values(self, register: u32, values: &mut [f32]) {
        match (self, values) {
            (Element::F16, [low, high]) => [*low, *high] = f16_pair(register),
            (Element::Bf16, [low, high]) => [*low, *high] = bf16_pair(register),
            (_, values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    *value = self.value(register, index);
                }
            }
        }
    }

    /// The value of the element `index` of a register. Integers of 32 bits are read by `as i32` instead.
    pub(super) fn value(self, register: u32, index: usize) -> f32 {
        let bits = register >> (index * self.bits());
        match self {
            Element::F16 => number::f16_to_f32(bits as u16),
            Element::Bf16 => f32::from_bits(bits << 16),
            // Tensor cores read the upper 19 bits.
            Element::Tf32 => f32::from_bits(bits & 0xffff_e000),
            Element::F32 => f32::from_bits(bits),
            Element::S8 => f32::from(bits as u8 as i8),
            Element::U8 => f32::from(bits as u8),
            Element::S32 => bits as i32 as f32,
        }
    }
}

/// The two f16 of a register.
#[inline(always)]
pub(super) fn f16_pair(register: u32) -> [f32; 2] {
    [number::f16_to_f32(register as u16), number::f16_to_f32((register >> 16) as u16)]
}

/// The two bf16 of a register.
#[inline(always)]
pub(super) fn bf16_pair(register: u32) -> [f32; 2] {
    [f32::from_bits(register << 16), f32::from_bits(register & 0xffff_0000)]
}

/// The shape of a product: d and c are m x n, a is m x k, b is k x n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
}

impl Shape {
    /// Reads a shape such as `m16n8k16`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (m, rest) = name.strip_prefix('m')?.split_once('n')?;
        let (n, k) = rest.split_once('k')?;
        Some(Self { m: m.parse().ok()?, n: n.parse().ok()?, k: k.parse().ok()? })
    }
}

/// A matrix of a `wmma` instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fragment {
    rows: usize,
    columns: usize,
    pub(super) element: Element,
    registers: usize,
}

impl Fragment {
    pub(crate) fn a(shape: Shape, element: Element) -> Self {
        Self::factor(shape.m, shape.k, element)
    }

    pub(crate) fn b(shape: Shape, element: Element) -> Self {
        Self::factor(shape.k, shape.n, element)
    }

    /// An f16 factor always has 8 registers, which repeat its elements.
    fn factor(rows: usize, columns: usize, element: Element) -> Self {
        let registers = if element == Element::F16 { 8 } else { rows * columns * element.bits() / 1024 };
        Self { rows, columns, element, registers }
    }

    pub(crate) fn accumulator(shape: Shape, element: Element) -> Self {
        let registers = shape.m * shape.n * element.bits() / 1024;
        Self { rows: shape.m, columns: shape.n, element, registers }
    }

    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// The registers of a lane.
    pub(crate) fn registers(self) -> usize {
        self.registers
    }
}

/// A product of matrices: d = a b + c.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Product {
    pub(crate) shape: Shape,
    pub(crate) a: Element,
    pub(crate) b: Element,
    pub(crate) c: Element,
    pub(crate) d: Element,
    pub(crate) saturates: bool,
}

impl Product {
    /// Whether `mma` has this shape with these types, and it is computed.
    pub(crate) fn is_mma(&self) -> bool {
        let Shape { m, n, k } = self.shape;
        let is_known = match self.a {
            Element::F16 | Element::Bf16 => matches!(k, 8 | 16) && self.b == self.a,
            Element::Tf32 => matches!(k, 4 | 8) && self.b == self.a,
            Element::S8 | Element::U8 => matches!(k, 16 | 32) && self.b.bits() == 8,
            Element::F32 | Element::S32 => false,
        };
        (m, n) == (16, 8) && is_known
    }

    /// Whether it multiplies integers.
    pub(super) fn is_integer(&self) -> bool {
        self.d == Element::S32
    }

    /// The registers of d, a, b and c of an `mma`.
    pub(crate) fn mma_registers(&self) -> [usize; 4] {
        let Shape { m, n, k } = self.shape;
        let registers = |elements: usize, element: Element| elements * element.bits() / 1024;
        [
            registers(m * n, self.d),
            registers(m * k, self.a),
            registers(k * n, self.b),
            registers(m * n, self.c),
        ]
    }

    /// The registers of d, a, b and c of a `wmma.mma`.
    pub(crate) fn wmma_registers(&self) -> [usize; 4] {
        [
            Fragment::accumulator(self.shape, self.d).registers(),
            Fragment::a(self.shape, self.a).registers(),
            Fragment::b(self.shape, self.b).registers(),
            Fragment::accumulator(self.shape, self.c).registers(),
        ]
    }
}

/// The address of a row of matrix `matrix`: lane 8 * matrix + row passes it.
fn row(lanes: &Lanes, matrix: usize, row: usize) -> Option<*mut u16> {
    lanes.address(8 * matrix + row).map(|address| address as *mut u16)
}

/// The row and column of the two elements of a lane.
fn elements(lane: usize, is_transposed: bool) -> [(usize, usize); 2] {
    let (group, pair) = (lane / 4, lane % 4 * 2);
    if is_transposed { [(pair, group), (pair + 1, group)] } else { [(group, pair), (group, pair + 1)] }
}

/// `ldmatrix`: loads 8 x 8 matrices of 16-bit elements.
pub(super) fn load(count: usize, is_transposed: bool, lanes: &mut Lanes) {
    for lane in lanes.iter() {
        for matrix in 0..count {
            let [low, high] = elements(lane, is_transposed).map(|(at, column)| {
                // SAFETY: the kernel passes the addresses of rows of 8 elements; if not, it is the kernel's error.
                row(lanes, matrix, at).map_or(0, |row| unsafe { row.add(column).read_unaligned() })
            });
            lanes.output(lane, matrix, u32::from(low) | u32::from(high) << 16);
        }
    }
}

/// `stmatrix`: stores 8 x 8 matrices of 16-bit elements.
pub(super) fn store(count: usize, is_transposed: bool, lanes: &mut Lanes) {
    for lane in lanes.iter() {
        for matrix in 0..count {
            let value = lanes.input(lane, matrix);
            for (index, (at, column)) in elements(lane, is_transposed).into_iter().enumerate() {
                let Some(row) = row(lanes, matrix, at) else { continue };
                // SAFETY: as in `load`.
                unsafe { row.add(column).write_unaligned((value >> (16 * index)) as u16) }
            }
        }
    }
}
