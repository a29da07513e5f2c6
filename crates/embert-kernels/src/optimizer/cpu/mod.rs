//! AdamW on the CPU, in place and in one pass: it reads and writes every value once.

mod rows;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::step::{AdamWStep, Moments};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, contiguous, from_vec};
use crate::cpu::vectors::{dot, load, store};

pub(super) use rows::adamw_rows;

/// The number of elements in one task. The order of addition of the sum of squares depends on it.
const ELEMENTS_PER_TASK: usize = 1 << 15;

pub(super) fn adamw(
    values: Tensor<1>,
    gradient: Tensor<1>,
    gradient_scale: Tensor<1>,
    moments: Moments,
    step: &AdamWStep,
) -> (Tensor<1>, Moments) {
    let [mut values, gradient, scale, mut mean, mut squares] =
        [values, gradient, gradient_scale, moments.mean, moments.mean_of_squares].map(primitive);
    let [value_chunks, mean_chunks, square_chunks] = [&mut values, &mut mean, &mut squares]
        .map(|x| x.storage_mut::<f32>().par_chunks_mut(ELEMENTS_PER_TASK));
    let (cpu, scale) = (Cpu::fp32(), as_slice(&scale)[0]);
    let tasks = value_chunks
        .zip(as_slice(&gradient).par_chunks(ELEMENTS_PER_TASK))
        .zip(mean_chunks)
        .zip(square_chunks);
    tasks.for_each(|(((values, gradient), mean), squares)| {
        cpu.vectorize(AdamWUpdate { values, gradient, scale, mean, squares, step });
    });
    let [values, mean, mean_of_squares] = [values, mean, squares].map(Tensor::from_primitive::<Flex>);
    (values, Moments { mean, mean_of_squares })
}

/// Returns Σ x², in an order that depends only on the length.
pub(super) fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    struct Squares<'a>(&'a [f32]);
    impl WithSimd for Squares<'_> {
        type Output = f64;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            f64::from(dot(simd, self.0, self.0))
        }
    }
    let (cpu, x) = (Cpu::fp32(), primitive(x));
    let parts = as_slice(&x).par_chunks(ELEMENTS_PER_TASK).map(|part| cpu.vectorize(Squares(part)));
    let sum: f64 = parts.collect::<Vec<_>>().into_iter().sum();
    Tensor::from_primitive::<Flex>(from_vec(vec![sum as f32], [1]))
}

/// Returns the tensor with contiguous memory of its own. It copies only if necessary.
fn primitive(x: Tensor<1>) -> FlexTensor {
    contiguous(x.try_into_primitive::<Flex>().expect("a tensor of the CPU backend"))
}

struct AdamWUpdate<'a> {
    values: &'a mut [f32],
    gradient: &'a [f32],
    scale: f32,
    mean: &'a mut [f32],
    squares: &'a mut [f32],
    step: &'a AdamWStep,
}

impl WithSimd for AdamWUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AdamWStep { beta1, beta2, epsilon, learning_rate, .. } = *self.step;
        let [correction1, correction2] = self.step.corrections();
        let splat = |value: f64| simd.splat_f32s(value as f32);
        let (beta1, rest1) = (splat(beta1), splat(1.0 - beta1));
        let (beta2, rest2) = (splat(beta2), splat(1.0 - beta2));
        let (scale, epsilon) = (simd.splat_f32s(self.scale), splat(epsilon));
        let (kept, rate) = (splat(self.step.kept()), splat(-learning_rate / correction1));
        let root = splat(1.0 / correction2.sqrt());
        for offset in (0..self.values.len()).step_by(S::F32_LANES) {
            let g = simd.mul_f32s(load(simd, self.gradient, offset), scale);
            let mean = simd.mul_add_e_f32s(load(simd, self.mean, offset), beta1, simd.mul_f32s(g, rest1));
            let square = simd.mul_f32s(simd.mul_f32s(g, g), rest2);
            let squares = simd.mul_add_e_f32s(load(simd, self.squares, offset), beta2, square);
            let divisor = simd.mul_add_e_f32s(simd.sqrt_f32s(squares), root, epsilon);
            let direction = simd.div_f32s(mean, divisor);
            let value = simd.mul_f32s(load(simd, self.values, offset), kept);
            store(simd, self.mean, offset, mean);
            store(simd, self.squares, offset, squares);
            store(simd, self.values, offset, simd.mul_add_e_f32s(direction, rate, value));
        }
    }
}
