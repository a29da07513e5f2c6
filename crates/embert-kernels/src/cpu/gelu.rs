//! y = h·Φ(h), h = x + b; dy/dh = Φ(h) + h·φ(h), with Φ(h) = ½(1 + erf(h/√2)) and φ(h) = e^(−h²/2)/√(2π).

use std::f32::consts::FRAC_1_SQRT_2;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::math::{erf, exp};
use super::memory::{floats, in_order, sum_in_order, tensor, unwritten};
use super::saved::{Saved, SavedPart};
use super::simd::Cpu;
use super::vectors::{add, load, store};

const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;
/// Rows that one task takes; the order of the bias gradient's sum depends on it.
const ROWS_PER_TASK: usize = 64;

/// gelu(x + b) by rows, in place where nobody else holds x.
pub(crate) fn forward(cpu: Cpu, x: FlexTensor, bias: &[f32]) -> FlexTensor {
    let (mut x, task) = (in_order(x), bias.len() * ROWS_PER_TASK);
    if let Some(y) = x.try_storage_mut() {
        y.par_chunks_mut(task).for_each(|y| cpu.vectors(Forward { y, x: None, bias }));
        return x;
    }
    let mut y = unwritten(floats(&x).len());
    let chunks = y.par_chunks_mut(task).zip(floats(&x).par_chunks(task));
    chunks.for_each(|(y, x)| cpu.vectors(Forward { y, x: Some(x), bias }));
    tensor(y, x.shape().dims::<2>())
}

/// Turns the gradient of gelu(x + b) into that of x, in place, and gives that of b; gelu(x + b) itself, again, goes
/// into `activation`, where it is wanted.
pub(crate) fn backward(
    cpu: Cpu,
    x: &Saved,
    bias: &[f32],
    gradient: &mut [f32],
    activation: Option<&mut [f32]>,
) -> Vec<f32> {
    let task = bias.len() * ROWS_PER_TASK;
    let activations: Vec<_> = match activation {
        Some(activation) => activation.chunks_mut(task).map(Some).collect(),
        None => gradient.chunks(task).map(|_| None).collect(),
    };
    let chunks = gradient.par_chunks_mut(task).zip(activations).enumerate();
    let parts = chunks.map(|(i, (gradient, activation))| {
        let x = x.part(i * task..i * task + gradient.len());
        cpu.vectors(Back { gradient, activation, x, bias })
    });
    sum_in_order(parts.collect())
}

struct Forward<'a> {
    y: &'a mut [f32],
    /// What y holds, where it is `None`.
    x: Option<&'a [f32]>,
    bias: &'a [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.bias.len();
        for (row, y) in self.y.chunks_exact_mut(columns).enumerate() {
            let x = self.x.map(|x| &x[row * columns..][..columns]);
            for at in (0..columns).step_by(S::F32_LANES) {
                let x = load(simd, x.unwrap_or(y), at);
                let h = simd.add_f32s(x, load(simd, self.bias, at));
                store(simd, y, at, simd.mul_f32s(h, normal_cdf(simd, h)));
            }
        }
    }
}

struct Back<'a> {
    gradient: &'a mut [f32],
    activation: Option<&'a mut [f32]>,
    x: SavedPart<'a>,
    bias: &'a [f32],
}

impl WithSimd for Back<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        let columns = self.bias.len();
        let mut sums = vec![0.0; columns];
        let mut scratch = vec![0.0; columns];
        for (row, gradient) in self.gradient.chunks_exact_mut(columns).enumerate() {
            let x = self.x.row(simd, row, &mut scratch);
            let mut activation = self.activation.as_mut().map(|all| &mut all[row * columns..][..columns]);
            for at in (0..columns).step_by(S::F32_LANES) {
                let h = simd.add_f32s(load(simd, x, at), load(simd, self.bias, at));
                let cdf = normal_cdf(simd, h);
                if let Some(activation) = activation.as_deref_mut() {
                    store(simd, activation, at, simd.mul_f32s(h, cdf));
                }
                let slope = simd.mul_add_e_f32s(h, normal_pdf(simd, h), cdf);
                let d = simd.mul_f32s(load(simd, gradient, at), slope);
                store(simd, gradient, at, d);
                add(simd, &mut sums, at, d);
            }
        }
        sums
    }
}

/// Φ(h)
#[inline(always)]
fn normal_cdf<S: Simd>(simd: S, h: S::f32s) -> S::f32s {
    let erf = erf(simd, simd.mul_f32s(h, simd.splat_f32s(FRAC_1_SQRT_2)));
    simd.mul_add_e_f32s(erf, simd.splat_f32s(0.5), simd.splat_f32s(0.5))
}

/// φ(h)
#[inline(always)]
fn normal_pdf<S: Simd>(simd: S, h: S::f32s) -> S::f32s {
    let e = exp(simd, simd.mul_f32s(simd.mul_f32s(h, h), simd.splat_f32s(-0.5)));
    simd.mul_f32s(e, simd.splat_f32s(FRAC_1_SQRT_2PI))
}
