//! Products of matrices on tensor cores, against a plain loop.

use half::{bf16, f16};

use crate::gpu::{Buffer, Module, addresses, is_ready, numbers};

const PTX: &str = include_str!("../fixtures/matrices.ptx");

/// d = a b + c, all row-major.
fn product([m, n, k]: [usize; 3], a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
    let element = |row: usize, column: usize| {
        let products = (0..k).map(|at| a[row * k + at] * b[at * n + column]);
        products.fold(c[row * n + column], |sum, product| sum + product)
    };
    (0..m * n).map(|index| element(index / n, index % n)).collect()
}

/// Whole numbers between -8 and 8, which every type has and whose sums are exact.
fn whole(count: usize, seed: u32) -> Vec<f32> {
    numbers(count, seed).into_iter().map(|number| (number * 4.0).round()).collect()
}

/// How elements are packed into registers of 32 bits.
struct Packing {
    per_register: usize,
    bits: fn(f32) -> u32,
}

const F16: Packing = Packing { per_register: 2, bits: |value| f16::from_f32(value).to_bits().into() };
const BF16: Packing = Packing { per_register: 2, bits: |value| bf16::from_f32(value).to_bits().into() };
const F32: Packing = Packing { per_register: 1, bits: f32::to_bits };
const S8: Packing = Packing { per_register: 4, bits: |value| u32::from(value as i8 as u8) };
const S32: Packing = Packing { per_register: 1, bits: |value| value as i32 as u32 };

impl Packing {
    fn pack(&self, values: &[f32]) -> u32 {
        let width = 32 / self.per_register;
        values.iter().enumerate().map(|(index, value)| (self.bits)(*value) << (index * width)).sum()
    }
}

/// The tables of the PTX documentation: which element (row, column) is number `index` of register `register` of a lane.
fn place_in_a(lane: usize, register: usize, index: usize, per: usize) -> (usize, usize) {
    (lane / 4 + register % 2 * 8, lane % 4 * per + register / 2 * 4 * per + index)
}

fn place_in_b(lane: usize, register: usize, index: usize, per: usize) -> (usize, usize) {
    (lane % 4 * per + register * 4 * per + index, lane / 4)
}

fn place_in_c(lane: usize, register: usize, index: usize, per: usize) -> (usize, usize) {
    match per {
        1 => (lane / 4 + register / 2 * 8, lane % 4 * 2 + register % 2),
        _ => (lane / 4 + register * 8, lane % 4 * 2 + index),
    }
}

type Place = fn(usize, usize, usize, usize) -> (usize, usize);

fn registers(
    lane: usize,
    count: usize,
    packing: &Packing,
    place: Place,
    matrix: &[f32],
    columns: usize,
) -> Vec<u32> {
    let value = |register, index| {
        let (row, column) = place(lane, register, index, packing.per_register);
        matrix[row * columns + column]
    };
    let register = |register| -> u32 {
        let values: Vec<f32> = (0..packing.per_register).map(|index| value(register, index)).collect();
        packing.pack(&values)
    };
    (0..count).map(register).collect()
}

fn check_mma(kernel: &str, k: usize, factor: &Packing, sum: &Packing) {
    if !is_ready() {
        return;
    }
    let (a, b, c) = (whole(16 * k, 1), whole(k * 8, 2), whole(16 * 8, 3));
    let counts = [k / factor.per_register / 2, k / factor.per_register / 4, 4 / sum.per_register];
    let lane = |lane| {
        let mut all = registers(lane, counts[0], factor, place_in_a, &a, k);
        all.extend(registers(lane, counts[1], factor, place_in_b, &b, 8));
        all.extend(registers(lane, counts[2], sum, place_in_c, &c, 8));
        all
    };
    let input: Vec<u32> = (0..32).flat_map(lane).collect();
    let (input, out) = (Buffer::new(&input), Buffer::zeros::<u32>(32 * counts[2]));
    Module::load(PTX).unwrap().launch(kernel, [1, 1, 1], [32, 1, 1], 0, &addresses([&input, &out]));
    let d = product([16, 8, k], &a, &b, &c);
    let expected: Vec<u32> =
        (0..32).flat_map(|lane| registers(lane, counts[2], sum, place_in_c, &d, 8)).collect();
    assert_eq!(out.read::<u32>(), expected, "{kernel}");
}

#[test]
fn mma_multiplies_bf16() {
    check_mma("mma_bf16", 16, &BF16, &F32);
}

#[test]
fn mma_multiplies_f16() {
    check_mma("mma_f16", 16, &F16, &F32);
    check_mma("mma_f16_short", 8, &F16, &F32);
}

#[test]
fn mma_adds_in_f16() {
    check_mma("mma_f16_f16", 16, &F16, &F16);
}

#[test]
fn mma_multiplies_tf32() {
    check_mma("mma_tf32", 8, &F32, &F32);
}

#[test]
fn mma_multiplies_bytes() {
    check_mma("mma_s8", 32, &S8, &S32);
}

#[test]
fn ldmatrix_gives_each_lane_its_elements_and_stmatrix_stores_them() {
    if !is_ready() {
        return;
    }
    let input: Vec<u16> = (0..256).collect();
    for count in [1, 2, 4] {
        for is_transposed in [false, true] {
            let (from, out, back) =
                (Buffer::new(&input), Buffer::zeros::<u16>(64 * count), Buffer::zeros::<u16>(256));
            let kernel = format!("matrices_{count}{}", if is_transposed { "_transposed" } else { "" });
            let parameters = addresses([&from, &out, &back]);
            Module::load(PTX).unwrap().launch(&kernel, [1, 1, 1], [32, 1, 1], 1024, &parameters);
            // Lane l has the elements 2 (l % 4) and the next of row l / 4 of each matrix, or of the transposed one.
            let element = |lane: usize, matrix: usize, index: usize| {
                let (row, column) = (lane / 4, lane % 4 * 2 + index);
                let at = if is_transposed { column * 8 + row } else { row * 8 + column };
                (matrix * 64 + at) as u16
            };
            let lane = |lane| (0..count * 2).map(move |index| element(lane, index / 2, index % 2));
            assert_eq!(out.read::<u16>(), (0..32).flat_map(lane).collect::<Vec<u16>>(), "{kernel}");
            assert_eq!(back.read::<u16>()[..64 * count], input[..64 * count], "{kernel}");
        }
    }
}

fn check_wmma(kernel: &str, shape: [usize; 3], factor: &Packing, sum: &Packing, b_is_transposed: bool) {
    if !is_ready() {
        return;
    }
    let [m, n, k] = shape;
    let (a, b, c) = (whole(m * k, 4), whole(k * n, 5), whole(m * n, 6));
    let packed = |values: &[f32], packing: &Packing| -> Vec<u32> {
        values.chunks(packing.per_register).map(|values| packing.pack(values)).collect()
    };
    let stored_b: Vec<f32> = match b_is_transposed {
        true => (0..k * n).map(|index| b[index % k * n + index / k]).collect(),
        false => b.clone(),
    };
    let buffers =
        [packed(&a, factor), packed(&stored_b, factor), packed(&c, sum)].map(|values| Buffer::new(&values));
    let d = Buffer::zeros::<u32>(m * n / sum.per_register);
    let parameters = addresses([&buffers[0], &buffers[1], &buffers[2], &d]);
    Module::load(PTX).unwrap().launch(kernel, [1, 1, 1], [32, 1, 1], 0, &parameters);
    assert_eq!(d.read::<u32>(), packed(&product(shape, &a, &b, &c), sum), "{kernel}");
}

#[test]
fn wmma_multiplies_f16() {
    check_wmma("wmma_f16", [16, 16, 16], &F16, &F32, true);
    check_wmma("wmma_f16_f16", [32, 8, 16], &F16, &F16, false);
}

#[test]
fn wmma_multiplies_bf16_and_tf32() {
    check_wmma("wmma_bf16", [8, 32, 16], &BF16, &F32, false);
    check_wmma("wmma_tf32", [16, 16, 8], &F32, &F32, false);
}
