//! The forward pass of layer normalization: y = γ·n + β with n = (v − μ)/√(σ² + ε) and v = residual + mask∘(x + c).

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::output_buffer::{OutputBuffer, Writer};
use crate::cpu::simd::Cpu;
use crate::cpu::vectors::{load, store};
use crate::dropout::cpu::{MaskGenerator, ROWS_PER_TASK, keys_of_task};
use crate::dropout::mask::Mask;

/// γ, β, ε, and the dropout mask of x.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) epsilon: f32,
    pub(super) mask: Option<&'a Mask>,
}

/// The output, and the values that the backward pass needs.
pub(super) struct Normalized {
    /// `[rows, hidden]`
    pub(super) y: Vec<f32>,
    /// n, `[rows, hidden]`.
    pub(super) normalized: Vec<f32>,
    /// 1/√(σ² + ε), `[rows]`.
    pub(super) inverse_deviation: Vec<f32>,
}

/// Normalizes residual + mask∘(x + c), or x. `added` are the residual, `[rows, hidden]`, and c, `[hidden]`.
pub(super) fn forward(cpu: Cpu, x: &[f32], added: Option<[&[f32]; 2]>, norm: Norm<'_>) -> Normalized {
    let columns = norm.weight.len();
    let rows = x.len() / columns;
    let (mut y, mut normalized) = (OutputBuffer::new(x.len()), OutputBuffer::new(x.len()));
    let mut inverse_deviation = vec![0.0; rows];
    let task = columns * ROWS_PER_TASK;
    let tasks = x.par_chunks(task).zip(y.writers(task)).zip(normalized.writers(task));
    let tasks = tasks.zip(inverse_deviation.par_chunks_mut(ROWS_PER_TASK)).enumerate();
    tasks.for_each(|(i, (((x, y), n), inverse_deviation))| {
        let added = added.map(|[residual, x_bias]| [&residual[i * task..], x_bias]);
        let keys = keys_of_task(norm.mask, i);
        cpu.vectorize(Forward { x, added, y, n, inverse_deviation, norm, keys });
    });
    Normalized { y: y.into_vec(), normalized: normalized.into_vec(), inverse_deviation }
}

struct Forward<'a> {
    x: &'a [f32],
    added: Option<[&'a [f32]; 2]>,
    y: Writer<'a>,
    n: Writer<'a>,
    inverse_deviation: &'a mut [f32],
    norm: Norm<'a>,
    /// The keys of the mask's rows, and the dropout rate.
    keys: Option<(&'a [u32], f64)>,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let columns = self.norm.weight.len();
        let generator = MaskGenerator::new(simd, self.keys.map_or(0.0, |(_, rate)| rate));
        for (row, inverse_deviation) in self.inverse_deviation.iter_mut().enumerate() {
            let span = row * columns..(row + 1) * columns;
            let x = &self.x[span.clone()];
            let added = self.added.map(|[residual, x_bias]| [&residual[span.clone()], x_bias]);
            let key = self.keys.map(|(keys, _)| keys[row]);
            let (v, sum) = sum_of_row(simd, x, added, key.map(|key| (generator, key)), &mut self.n);
            let variance = center(simd, v, sum / columns as f32) / columns as f32;
            *inverse_deviation = 1.0 / (variance + self.norm.epsilon).sqrt();
            scale(simd, v, &mut self.y, *inverse_deviation, self.norm);
        }
    }
}

/// Writes v = residual + mask∘(x + c), or x. Returns v and Σ v.
#[inline(always)]
fn sum_of_row<'a, S: Simd>(
    simd: S,
    x: &[f32],
    added: Option<[&[f32]; 2]>,
    mask: Option<(MaskGenerator<S>, u32)>,
    v: &'a mut Writer<'_>,
) -> (&'a mut [f32], f32) {
    let mut sum = simd.splat_f32s(0.0);
    let v = v.row(simd, x.len(), |offset| {
        let mut value = load(simd, x, offset);
        if let Some([residual, x_bias]) = added {
            value = simd.add_f32s(value, load(simd, x_bias, offset));
            if let Some((generator, key)) = mask {
                value = simd.mul_f32s(value, generator.along_row(key, offset));
            }
            value = simd.add_f32s(value, load(simd, residual, offset));
        }
        sum = simd.add_f32s(sum, value);
        value
    });
    (v, simd.reduce_sum_f32s(sum))
}

/// Replaces v by v − mean. Returns Σ v².
#[inline(always)]
fn center<S: Simd>(simd: S, v: &mut [f32], mean: f32) -> f32 {
    let mean = simd.splat_f32s(mean);
    let mut squares = simd.splat_f32s(0.0);
    for offset in (0..v.len()).step_by(S::F32_LANES) {
        let centered = simd.sub_f32s(load(simd, v, offset), mean);
        store(simd, v, offset, centered);
        let centered = load(simd, v, offset); // zeros after the end
        squares = simd.mul_add_e_f32s(centered, centered, squares);
    }
    simd.reduce_sum_f32s(squares)
}

/// Replaces n by n · inverse_deviation, and writes y = γ·n + β.
#[inline(always)]
fn scale<S: Simd>(simd: S, n: &mut [f32], y: &mut Writer<'_>, inverse_deviation: f32, norm: Norm<'_>) {
    let inverse_deviation = simd.splat_f32s(inverse_deviation);
    y.row(simd, n.len(), |offset| {
        let value = simd.mul_f32s(load(simd, n, offset), inverse_deviation);
        store(simd, n, offset, value);
        simd.mul_add_e_f32s(value, load(simd, norm.weight, offset), load(simd, norm.bias, offset))
    });
}
