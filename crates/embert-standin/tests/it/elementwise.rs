//! Kernels that compute each element by itself.

use half::{bf16, f16};

use crate::gpu::{Buffer, Module, addresses, is_ready, numbers};

const PTX: &str = include_str!("../fixtures/elementwise.ptx");

#[test]
fn f32_is_what_rust_computes() {
    if !is_ready() {
        return;
    }
    let (x, y) = (numbers(640, 1), numbers(640, 2));
    let (bx, by, z) = (Buffer::new(&x), Buffer::new(&y), Buffer::zeros::<f32>(640));
    Module::load(PTX).unwrap().launch("single", [10, 1, 1], [64, 1, 1], 0, &addresses([&bx, &by, &z]));
    let expected: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x.mul_add(*y, 2.0).max(0.0) / (x - y)).collect();
    assert_eq!(z.read::<f32>(), expected);
}

#[test]
fn pairs_of_f16_round_after_each_operation() {
    if !is_ready() {
        return;
    }
    let halves = |seed| -> Vec<f16> { numbers(1024, seed).into_iter().map(f16::from_f32).collect() };
    let (x, y) = (halves(3), halves(4));
    let (bx, by, z) = (Buffer::new(&x), Buffer::new(&y), Buffer::zeros::<f16>(1024));
    Module::load(PTX).unwrap().launch("halves", [2, 1, 1], [64, 1, 1], 0, &addresses([&bx, &by, &z]));
    let expected: Vec<f16> = x.iter().zip(&y).map(|(x, y)| *x * *y + *y * *y).collect();
    assert_eq!(z.read::<f16>(), expected);
}

#[test]
fn fma_of_bf16_rounds_once() {
    if !is_ready() {
        return;
    }
    let brains = |seed| -> Vec<bf16> { numbers(640, seed).into_iter().map(bf16::from_f32).collect() };
    let (x, y) = (brains(5), brains(6));
    let (bx, by, z) = (Buffer::new(&x), Buffer::new(&y), Buffer::zeros::<bf16>(640));
    Module::load(PTX).unwrap().launch("brains", [10, 1, 1], [64, 1, 1], 0, &addresses([&bx, &by, &z]));
    // The product of two bf16 plus a third one of about the same size is exact in f64.
    let exact = |x: &bf16, y: &bf16| bf16::from_f64(x.to_f64() * y.to_f64() + x.to_f64());
    let expected: Vec<bf16> = x.iter().zip(&y).map(|(x, y)| exact(x, y)).collect();
    assert_eq!(z.read::<bf16>(), expected);
}
