//! y = h·Φ(h), h = x + b; dy/dh = Φ(h) + h·φ(h), with Φ(h) = ½(1 + erf(h/√2)) and φ(h) = e^(−h²/2)/√(2π).

use std::f32::consts::FRAC_1_SQRT_2;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::math::{erf, exp};
use super::memory::{floats, in_order, sum_in_order, tensor};
use super::saved::{Saved, SavedPart};
use super::simd::Cpu;
use super::uninit::{Uninit, Writer, optional_writers};
use super::vectors::{add, load, store};

const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;
/// Rows that one task takes; the order of the bias gradient's sum depends on it.
const ROWS_PER_TASK: usize = 64;

/// gelu(x + b) by rows, in place where nobody else holds x.
pub(crate) fn forward(cpu: Cpu, x: FlexTensor, bias: &[f32]) -> FlexTensor {
    let (mut x, task) = (in_order(x), bias.len() * ROWS_PER_TASK);
    if let Some(h) = x.try_storage_mut() {
        h.par_chunks_mut(task).for_each(|h| cpu.vectors(InPlace { h, bias }));
        return x;
    }
    let mut y = Uninit::new(floats(&x).len());
    let tasks = y.writers(task).into_par_iter().zip(floats(&x).par_chunks(task));
    tasks.for_each(|(y, x)| cpu.vectors(Forward { y, x, bias }));
    tensor(y.finish(), x.shape().dims::<2>())
}

/// Turns the gradient of gelu(x + b) into that of x, in place, and gives that of b; gelu(x + b) itself, again, goes
/// into `activation`, where it is wanted.
pub(crate) fn backward(
    cpu: Cpu,
    x: &Saved,
    bias: &[f32],
    gradient: &mut [f32],
    activation: Option<&mut Uninit>,
) -> Vec<f32> {
    let task = bias.len() * ROWS_PER_TASK;
    let activations = optional_writers(activation, gradient.len(), task);
    let chunks = gradient.par_chunks_mut(task).zip(activations).enumerate();
    let parts = chunks.map(|(i, (gradient, activation))| {
        let x = x.part(i * task..i * task + gradient.len());
        cpu.vectors(Back { gradient, activation, x, bias })
    });
    sum_in_order(parts.collect())
}

struct InPlace<'a> {
    h: &'a mut [f32],
    bias: &'a [f32],
}

impl WithSimd for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.h.chunks_exact_mut(self.bias.len()) {
            for at in (0..row.len()).step_by(S::F32_LANES) {
                let y = activation(simd, row, self.bias, at);
                store(simd, row, at, y);
            }
        }
    }
}

struct Forward<'a> {
    y: Writer<'a>,
    x: &'a [f32],
    bias: &'a [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for x in self.x.chunks_exact(self.bias.len()) {
            self.y.row(simd, x.len(), |at| activation(simd, x, self.bias, at));
        }
    }
}

/// gelu(x + b) from column `at` on.
#[inline(always)]
fn activation<S: Simd>(simd: S, x: &[f32], bias: &[f32], at: usize) -> S::f32s {
    let h = simd.add_f32s(load(simd, x, at), load(simd, bias, at));
    simd.mul_f32s(h, normal_cdf(simd, h))
}

struct Back<'a> {
    gradient: &'a mut [f32],
    activation: Option<Writer<'a>>,
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
            let x = self.x.row(row, &mut scratch);
            match &mut self.activation {
                Some(y) => {
                    y.row(simd, columns, |at| step_back(simd, x, self.bias, gradient, &mut sums, at));
                }
                None => (0..columns).step_by(S::F32_LANES).for_each(|at| {
                    step_back(simd, x, self.bias, gradient, &mut sums, at);
                }),
            }
        }
        sums
    }
}

/// From column `at` on: turns dy into dx, adds it to the sums over rows, and returns gelu(x + b).
#[inline(always)]
fn step_back<S: Simd>(
    simd: S,
    x: &[f32],
    bias: &[f32],
    gradient: &mut [f32],
    sums: &mut [f32],
    at: usize,
) -> S::f32s {
    let h = simd.add_f32s(load(simd, x, at), load(simd, bias, at));
    let cdf = normal_cdf(simd, h);
    let slope = simd.mul_add_e_f32s(h, normal_pdf(simd, h), cdf);
    let dx = simd.mul_f32s(load(simd, gradient, at), slope);
    store(simd, gradient, at, dx);
    add(simd, sums, at, dx);
    simd.mul_f32s(h, cdf)
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
