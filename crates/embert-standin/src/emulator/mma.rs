//! `mma`: the product of the fragments of a warp, with the layouts of the PTX documentation.

use super::lanes::Lanes;
use super::matrix::{Element, Product, Shape};
use super::{matrix, multiply, number};

/// The largest matrix: 16 x 32 or 32 x 16.
pub(super) const LARGEST: usize = 512;

/// A matrix of floats, row-major.
pub(super) type Matrix = [f32; LARGEST];

/// Computes `product` for a warp: inputs are the registers of a, b and c, outputs those of d.
pub(super) fn multiply(product: &Product, lanes: &mut Lanes) {
    let [_, a_registers, b_registers, _] = product.mma_registers();
    let counts = [a_registers, b_registers];
    let (a, b) = match product.a {
        Element::F16 => factors(product.shape, counts, lanes, matrix::f16_pair, matrix::f16_pair),
        Element::Bf16 => factors(product.shape, counts, lanes, matrix::bf16_pair, matrix::bf16_pair),
        Element::S8 | Element::U8 => {
            let bytes =
                |element: Element| move |bits| std::array::from_fn::<_, 4, _>(|at| element.value(bits, at));
            factors(product.shape, counts, lanes, bytes(product.a), bytes(product.b))
        }
        _ => {
            let one = |bits| [product.a.value(bits, 0)];
            factors(product.shape, counts, lanes, one, one)
        }
    };
    let first = a_registers + b_registers;
    if product.is_integer() {
        integers(product, &a, &b, first, lanes);
    } else {
        floats(product, &a, &b, first, lanes);
    }
}

/// The factors a and b, row-major. `a_values` and `b_values` give the values of a register.
#[inline(always)]
fn factors<const N: usize>(
    shape: Shape,
    [a_registers, b_registers]: [usize; 2],
    lanes: &Lanes,
    a_values: impl Fn(u32) -> [f32; N],
    b_values: impl Fn(u32) -> [f32; N],
) -> (Matrix, Matrix) {
    let Shape { n, k, .. } = shape;
    let mut a = [0.0; LARGEST];
    let mut b = [0.0; LARGEST];
    for lane in 0..32 {
        let (group, quarter) = (lane / 4, lane % 4);
        let (a_inputs, b_inputs) = lanes.inputs(lane).split_at(a_registers);
        for (register, bits) in a_inputs.iter().enumerate() {
            let row = group + 8 * (register % 2);
            let column = N * quarter + 4 * N * (register / 2);
            a[row * k + column..][..N].copy_from_slice(&a_values(*bits));
        }
        for (register, bits) in b_inputs[..b_registers].iter().enumerate() {
            let row = N * quarter + 4 * N * register;
            for (index, value) in b_values(*bits).into_iter().enumerate() {
                b[(row + index) * n + group] = value;
            }
        }
    }
    (a, b)
}

/// Where the four elements of a lane are in a row-major 16 x 8 accumulator: two neighbors, and two 8 rows below.
fn places(lane: usize) -> [usize; 4] {
    let first = lane / 4 * 8 + lane % 4 * 2;
    [first, first + 1, first + 64, first + 65]
}

fn floats(product: &Product, a: &Matrix, b: &Matrix, first: usize, lanes: &mut Lanes) {
    let mut sums = [0.0; 128];
    for lane in 0..32 {
        let inputs = &lanes.inputs(lane)[first..][..4];
        let values = match product.c {
            Element::F16 => {
                let ([a, b], [c, d]) = (matrix::f16_pair(inputs[0]), matrix::f16_pair(inputs[1]));
                [a, b, c, d]
            }
            _ => std::array::from_fn(|register| f32::from_bits(inputs[register])),
        };
        places(lane).into_iter().zip(values).for_each(|(place, value)| sums[place] = value);
    }
    multiply::add_product(product.shape, a, b, &mut sums);
    for lane in lanes.iter() {
        let values = places(lane).map(|place| sums[place]);
        let Some(outputs) = lanes.outputs(lane) else { continue };
        match product.d {
            Element::F16 => {
                outputs[..2].copy_from_slice(&[pack(values[0], values[1]), pack(values[2], values[3])])
            }
            _ => outputs[..4].copy_from_slice(&values.map(f32::to_bits)),
        }
    }
}

/// Two values as f16 in one register.
pub(super) fn pack(low: f32, high: f32) -> u32 {
    u32::from(number::f32_to_f16(low)) | u32::from(number::f32_to_f16(high)) << 16
}

fn integers(product: &Product, a: &Matrix, b: &Matrix, first: usize, lanes: &mut Lanes) {
    let Shape { n, k, .. } = product.shape;
    for lane in lanes.iter() {
        for (register, place) in places(lane).into_iter().enumerate() {
            let c = lanes.input(lane, first + register) as i32;
            let row = &a[place / n * k..][..k];
            let sum = multiply::dot_integers(row, &b[place % n..], n, c, product.saturates);
            lanes.output(lane, register, sum as u32);
        }
    }
}
