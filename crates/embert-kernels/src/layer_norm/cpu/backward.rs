//! The backward pass of layer normalization: dv = (q − mean(q) − n·mean(q∘n))/√(σ² + ε) with q = γ∘dy for
//! each row; dx = dv∘mask; dγ = Σ dy∘n, dβ = Σ dy, dc = Σ dx.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::cpu::output_buffer::{OutputBuffer, Writer, optional_writers};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::sum_in_order;
use crate::cpu::vectors::{add_assign, load};
use crate::dropout::cpu::{MaskGenerator, ROWS_PER_TASK, keys_of_task};
use crate::dropout::mask::Mask;

/// The gradients of the inputs.
pub(super) struct NormGradients {
    /// The gradient of x; `None` if it equals the gradient of the residual.
    pub(super) x: Option<Vec<f32>>,
    /// The gradient of the residual, `[rows, hidden]`.
    pub(super) residual: Vec<f32>,
    /// The gradients of γ, β, and c if it needs one, `[2 · hidden]` or `[3 · hidden]`.
    pub(super) sums: Vec<f32>,
}

/// What the forward pass saved: n, `[rows, hidden]`, and 1/√(σ² + ε), `[rows]`.
#[derive(Clone, Copy)]
pub(super) struct Saved<'a> {
    pub(super) normalized: &'a [f32],
    pub(super) inverse_deviation: &'a [f32],
}

/// Returns the gradients of the inputs, that of c with `sums_dx`.
pub(super) fn backward(
    cpu: Cpu,
    dy: &[f32],
    saved: Saved<'_>,
    weight: &[f32],
    mask: Option<&Mask>,
    sums_dx: bool,
) -> NormGradients {
    let task = weight.len() * ROWS_PER_TASK;
    let mut residual = OutputBuffer::new(dy.len());
    let mut x = mask.map(|_| OutputBuffer::new(dy.len()));
    let outputs = residual.writers(task).into_par_iter().zip(optional_writers(x.as_mut(), dy.len(), task));
    let tasks = outputs.zip(dy.par_chunks(task)).zip(saved.normalized.par_chunks(task));
    let tasks = tasks.zip(saved.inverse_deviation.par_chunks(ROWS_PER_TASK)).enumerate();
    let parts = tasks.map(|(i, ((((residual, x), dy), n), inverse_deviation))| {
        let keys = keys_of_task(mask, i);
        cpu.vectorize(Backward { dy, n, inverse_deviation, x, residual, weight, keys, sums_dx })
    });
    let sums = sum_in_order(parts.collect());
    NormGradients { x: x.map(OutputBuffer::into_vec), residual: residual.into_vec(), sums }
}

struct Backward<'a> {
    dy: &'a [f32],
    n: &'a [f32],
    inverse_deviation: &'a [f32],
    x: Option<Writer<'a>>,
    residual: Writer<'a>,
    weight: &'a [f32],
    /// The keys of the mask's rows, and the dropout rate.
    keys: Option<(&'a [u32], f64)>,
    sums_dx: bool,
}

impl WithSimd for Backward<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        let columns = self.weight.len();
        let generator = MaskGenerator::new(simd, self.keys.map_or(0.0, |(_, rate)| rate));
        let mut sums = vec![0.0; if self.sums_dx { 3 } else { 2 } * columns];
        let (of_norm, dx_bias) = sums.split_at_mut(2 * columns);
        for (row, &inverse_deviation) in self.inverse_deviation.iter().enumerate() {
            let span = row * columns..(row + 1) * columns;
            let (dy, n) = (&self.dy[span.clone()], &self.n[span]);
            let means = row_sums(simd, dy, n, self.weight, of_norm).map(|sum| sum / columns as f32);
            let dv = &mut self.residual;
            let dv = row_gradient(simd, dy, n, self.weight, means, inverse_deviation, dv);
            let dx = match (&mut self.x, self.keys) {
                (Some(x), Some((keys, _))) => x.row(simd, columns, |offset| {
                    simd.mul_f32s(load(simd, dv, offset), generator.along_row(keys[row], offset))
                }),
                _ => dv,
            };
            for offset in (0..dx_bias.len()).step_by(S::F32_LANES) {
                add_assign(simd, dx_bias, offset, load(simd, dx, offset));
            }
        }
        sums
    }
}

/// Returns Σ q and Σ q∘n of a row. Adds dy∘n and dy to the sums over the rows.
#[inline(always)]
fn row_sums<S: Simd>(simd: S, dy: &[f32], n: &[f32], weight: &[f32], sums: &mut [f32]) -> [f32; 2] {
    let (dweight, dbias) = sums.split_at_mut(dy.len());
    let mut row = [simd.splat_f32s(0.0); 2];
    for offset in (0..dy.len()).step_by(S::F32_LANES) {
        let (dy, n) = (load(simd, dy, offset), load(simd, n, offset));
        add_assign(simd, dweight, offset, simd.mul_f32s(dy, n));
        add_assign(simd, dbias, offset, dy);
        let q = simd.mul_f32s(dy, load(simd, weight, offset));
        row = [simd.add_f32s(row[0], q), simd.mul_add_e_f32s(q, n, row[1])];
    }
    [simd.reduce_sum_f32s(row[0]), simd.reduce_sum_f32s(row[1])]
}

/// Writes dv = (q − mean(q) − n·mean(q∘n)) · inverse_deviation.
#[inline(always)]
fn row_gradient<'a, S: Simd>(
    simd: S,
    dy: &[f32],
    n: &[f32],
    weight: &[f32],
    means: [f32; 2],
    inverse_deviation: f32,
    dv: &'a mut Writer<'_>,
) -> &'a mut [f32] {
    let (mean_q, mean_qn) = (simd.splat_f32s(means[0]), simd.splat_f32s(means[1]));
    let inverse_deviation = simd.splat_f32s(inverse_deviation);
    dv.row(simd, dy.len(), |offset| {
        let q = simd.mul_f32s(load(simd, dy, offset), load(simd, weight, offset));
        let v = simd.sub_f32s(q, simd.mul_add_e_f32s(load(simd, n, offset), mean_qn, mean_q));
        simd.mul_f32s(v, inverse_deviation)
    })
}
