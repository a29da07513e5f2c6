//! AdamW in place, in one sweep: every value is read and written once.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::simd::Cpu;
use super::vectors::{load, store};
use crate::AdamWStep;

/// Elements that one task takes; the order of the sum of squares depends on it.
const ELEMENTS_PER_TASK: usize = 1 << 15;

/// A gradient, and what it is multiplied with.
#[derive(Clone, Copy)]
pub(crate) struct Scaled<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) scale: f32,
}

/// Moves `values` one step, and the moments with them.
pub(crate) fn step(
    cpu: Cpu,
    values: &mut [f32],
    gradient: Scaled<'_>,
    moments: [&mut [f32]; 2],
    step: &AdamWStep,
) {
    let [mean, squares] = moments.map(|moment| moment.par_chunks_mut(ELEMENTS_PER_TASK));
    let values = values.par_chunks_mut(ELEMENTS_PER_TASK);
    let gradients = gradient.values.par_chunks(ELEMENTS_PER_TASK);
    values.zip(gradients).zip(mean).zip(squares).for_each(|(((values, part), mean), squares)| {
        let gradient = Scaled { values: part, ..gradient };
        cpu.vectors(Sweep { values, gradient, mean, squares, step });
    });
}

struct Sweep<'a> {
    values: &'a mut [f32],
    gradient: Scaled<'a>,
    mean: &'a mut [f32],
    squares: &'a mut [f32],
    step: &'a AdamWStep,
}

impl WithSimd for Sweep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AdamWStep { beta1, beta2, epsilon, learning_rate, weight_decay, .. } = *self.step;
        let [correction1, correction2] = self.step.corrections();
        let splat = |value: f64| simd.splat_f32s(value as f32);
        let (beta1, rest1) = (splat(beta1), splat(1.0 - beta1));
        let (beta2, rest2) = (splat(beta2), splat(1.0 - beta2));
        let (scale, epsilon) = (simd.splat_f32s(self.gradient.scale), splat(epsilon));
        let (kept, rate) = (splat(1.0 - learning_rate * weight_decay), splat(-learning_rate / correction1));
        let root = splat(1.0 / correction2.sqrt());
        for at in (0..self.values.len()).step_by(S::F32_LANES) {
            let g = simd.mul_f32s(load(simd, self.gradient.values, at), scale);
            let mean = simd.mul_add_e_f32s(load(simd, self.mean, at), beta1, simd.mul_f32s(g, rest1));
            let square = simd.mul_f32s(simd.mul_f32s(g, g), rest2);
            let squares = simd.mul_add_e_f32s(load(simd, self.squares, at), beta2, square);
            let divisor = simd.mul_add_e_f32s(simd.sqrt_f32s(squares), root, epsilon);
            let direction = simd.div_f32s(mean, divisor);
            let value = simd.mul_f32s(load(simd, self.values, at), kept);
            store(simd, self.mean, at, mean);
            store(simd, self.squares, at, squares);
            store(simd, self.values, at, simd.mul_add_e_f32s(direction, rate, value));
        }
    }
}

/// Σ x², in an order that depends on the length alone.
pub(crate) fn sum_of_squares(cpu: Cpu, values: &[f32]) -> f64 {
    struct Squares<'a>(&'a [f32]);
    impl WithSimd for Squares<'_> {
        type Output = f64;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            f64::from(super::vectors::dot(simd, self.0, self.0))
        }
    }
    let parts = values.par_chunks(ELEMENTS_PER_TASK).map(|part| cpu.vectors(Squares(part)));
    parts.collect::<Vec<_>>().into_iter().sum()
}
