//! y = γ·n + β with n = (v − μ)/√(σ² + ε) and v = residual + mask∘x, by rows;
//! dv = (q − mean(q) − n·mean(q∘n))/√(σ² + ε) with q = γ∘dy.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::dropout::{Draw, ROWS_PER_TASK};
use super::memory::{sum_in_order, unwritten};
use super::simd::Cpu;
use super::vectors::{add, load, store};

/// What a normalization is told beside its input: γ, β, ε, and the mask of `x` (a key for each row and a rate).
#[derive(Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) epsilon: f32,
    pub(crate) mask: Option<(&'a [u32], f64)>,
}

/// The output, and what backward needs of it.
pub(crate) struct Normalized {
    /// `[rows, hidden]`
    pub(crate) y: Vec<f32>,
    /// n, `[rows, hidden]`
    pub(crate) normalized: Vec<f32>,
    /// 1/√(σ² + ε), `[rows]`
    pub(crate) inverse_deviation: Vec<f32>,
}

/// Keys of the rows of one task.
fn keys_of(norm: Norm<'_>, task: usize) -> Option<(&[u32], f64)> {
    norm.mask.map(|(keys, rate)| {
        let first = task * ROWS_PER_TASK;
        (&keys[first..keys.len().min(first + ROWS_PER_TASK)], rate)
    })
}

/// Normalizes `residual + mask∘x`.
pub(crate) fn forward(cpu: Cpu, x: &[f32], residual: Option<&[f32]>, norm: Norm<'_>) -> Normalized {
    let columns = norm.weight.len();
    let rows = x.len() / columns;
    let (mut y, mut normalized) = (unwritten(x.len()), unwritten(x.len()));
    let mut inverse_deviation = unwritten(rows);
    let task = columns * ROWS_PER_TASK;
    y.par_chunks_mut(task)
        .zip(normalized.par_chunks_mut(task))
        .zip(inverse_deviation.par_chunks_mut(ROWS_PER_TASK))
        .enumerate()
        .for_each(|(i, ((y, n), inverse_deviation))| {
            let of_task = |values| chunk(values, i, task);
            let norm = Norm { mask: keys_of(norm, i), ..norm };
            cpu.vectors(Forward {
                x: of_task(x),
                residual: residual.map(of_task),
                y,
                n,
                inverse_deviation,
                norm,
            });
        });
    Normalized { y, normalized, inverse_deviation }
}

fn chunk(values: &[f32], index: usize, size: usize) -> &[f32] {
    &values[index * size..values.len().min((index + 1) * size)]
}

struct Forward<'a> {
    x: &'a [f32],
    residual: Option<&'a [f32]>,
    y: &'a mut [f32],
    n: &'a mut [f32],
    inverse_deviation: &'a mut [f32],
    norm: Norm<'a>,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.norm.weight.len();
        let draw = Draw::new(simd, self.norm.mask.map_or(0.0, |(_, rate)| rate));
        for (row, n) in self.n.chunks_exact_mut(columns).enumerate() {
            let span = row * columns..(row + 1) * columns;
            let x = &self.x[span.clone()];
            let residual = self.residual.map(|residual| &residual[span.clone()]);
            let key = self.norm.mask.map(|(keys, _)| keys[row]);
            let mean = sum_of_row(simd, x, residual, key.map(|key| (draw, key)), n) / columns as f32;
            let variance = center(simd, n, mean) / columns as f32;
            let inverse_deviation = 1.0 / (variance + self.norm.epsilon).sqrt();
            self.inverse_deviation[row] = inverse_deviation;
            scale(simd, n, &mut self.y[span], inverse_deviation, self.norm);
        }
    }
}

/// v = residual + mask∘x; gives Σ v.
#[inline(always)]
fn sum_of_row<S: Simd>(
    simd: S,
    x: &[f32],
    residual: Option<&[f32]>,
    mask: Option<(Draw<S>, u32)>,
    v: &mut [f32],
) -> f32 {
    let mut sum = simd.splat_f32s(0.0);
    for at in (0..x.len()).step_by(S::F32_LANES) {
        let mut value = load(simd, x, at);
        if let Some((draw, key)) = mask {
            value = simd.mul_f32s(value, draw.along_row(key, at));
        }
        if let Some(residual) = residual {
            value = simd.add_f32s(value, load(simd, residual, at));
        }
        store(simd, v, at, value);
        sum = simd.add_f32s(sum, value);
    }
    simd.reduce_sum_f32s(sum)
}

/// v ← v − mean; gives Σ v².
#[inline(always)]
fn center<S: Simd>(simd: S, v: &mut [f32], mean: f32) -> f32 {
    let mean = simd.splat_f32s(mean);
    let mut squares = simd.splat_f32s(0.0);
    for at in (0..v.len()).step_by(S::F32_LANES) {
        let centered = simd.sub_f32s(load(simd, v, at), mean);
        store(simd, v, at, centered);
        let centered = load(simd, v, at); // zeros past the end
        squares = simd.mul_add_e_f32s(centered, centered, squares);
    }
    simd.reduce_sum_f32s(squares)
}

/// n ← n · inverse_deviation; y ← γ·n + β.
#[inline(always)]
fn scale<S: Simd>(simd: S, n: &mut [f32], y: &mut [f32], inverse_deviation: f32, norm: Norm<'_>) {
    let inverse_deviation = simd.splat_f32s(inverse_deviation);
    for at in (0..n.len()).step_by(S::F32_LANES) {
        let value = simd.mul_f32s(load(simd, n, at), inverse_deviation);
        store(simd, n, at, value);
        let value = simd.mul_add_e_f32s(value, load(simd, norm.weight, at), load(simd, norm.bias, at));
        store(simd, y, at, value);
    }
}

/// The gradients of a normalization's inputs.
pub(crate) struct NormGradients {
    /// Of x; `None` where it equals that of the residual.
    pub(crate) x: Option<Vec<f32>>,
    /// Of the residual, `[rows, hidden]`.
    pub(crate) residual: Vec<f32>,
    /// Of γ, then of β, `[2 · hidden]`.
    pub(crate) weight_and_bias: Vec<f32>,
}

/// The gradients for `dy`, from what `forward` kept.
pub(crate) fn backward(
    cpu: Cpu,
    dy: &[f32],
    normalized: &[f32],
    inverse_deviation: &[f32],
    norm: Norm<'_>,
) -> NormGradients {
    let columns = norm.weight.len();
    let task = columns * ROWS_PER_TASK;
    let mut residual = unwritten(dy.len());
    let mut x = norm.mask.map(|_| unwritten(dy.len()));
    let x_chunks: Vec<Option<&mut [f32]>> = match &mut x {
        Some(x) => x.chunks_mut(task).map(Some).collect(),
        None => (0..dy.len().div_ceil(task)).map(|_| None).collect(),
    };
    let parts = residual.par_chunks_mut(task).zip(x_chunks).enumerate().map(|(i, (residual, x))| {
        let deviations = chunk(inverse_deviation, i, ROWS_PER_TASK);
        let norm = Norm { mask: keys_of(norm, i), ..norm };
        let (dy, n) = (chunk(dy, i, task), chunk(normalized, i, task));
        cpu.vectors(Back { dy, n, inverse_deviation: deviations, x, residual, norm })
    });
    let weight_and_bias = sum_in_order(parts.collect());
    NormGradients { x, residual, weight_and_bias }
}

struct Back<'a> {
    dy: &'a [f32],
    n: &'a [f32],
    inverse_deviation: &'a [f32],
    x: Option<&'a mut [f32]>,
    residual: &'a mut [f32],
    norm: Norm<'a>,
}

impl WithSimd for Back<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        let columns = self.norm.weight.len();
        let draw = Draw::new(simd, self.norm.mask.map_or(0.0, |(_, rate)| rate));
        let mut sums = vec![0.0; 2 * columns];
        for (row, residual) in self.residual.chunks_exact_mut(columns).enumerate() {
            let span = row * columns..(row + 1) * columns;
            let (dy, n) = (&self.dy[span.clone()], &self.n[span.clone()]);
            let means = row_sums(simd, dy, n, self.norm.weight, &mut sums).map(|sum| sum / columns as f32);
            row_gradient(simd, dy, n, self.norm.weight, means, self.inverse_deviation[row], residual);
            if let (Some(x), Some((keys, _))) = (&mut self.x, self.norm.mask) {
                let x = &mut x[span];
                for at in (0..columns).step_by(S::F32_LANES) {
                    let value = simd.mul_f32s(load(simd, residual, at), draw.along_row(keys[row], at));
                    store(simd, x, at, value);
                }
            }
        }
        sums
    }
}

/// Σ q and Σ q∘n of a row; adds dy∘n and dy to the sums over rows.
#[inline(always)]
fn row_sums<S: Simd>(simd: S, dy: &[f32], n: &[f32], weight: &[f32], sums: &mut [f32]) -> [f32; 2] {
    let (dweight, dbias) = sums.split_at_mut(dy.len());
    let mut row = [simd.splat_f32s(0.0); 2];
    for at in (0..dy.len()).step_by(S::F32_LANES) {
        let (dy, n) = (load(simd, dy, at), load(simd, n, at));
        add(simd, dweight, at, simd.mul_f32s(dy, n));
        add(simd, dbias, at, dy);
        let q = simd.mul_f32s(dy, load(simd, weight, at));
        row = [simd.add_f32s(row[0], q), simd.mul_add_e_f32s(q, n, row[1])];
    }
    row.map(|sum| simd.reduce_sum_f32s(sum))
}

/// dv = (q − mean(q) − n·mean(q∘n)) · inverse_deviation
#[inline(always)]
fn row_gradient<S: Simd>(
    simd: S,
    dy: &[f32],
    n: &[f32],
    weight: &[f32],
    means: [f32; 2],
    inverse_deviation: f32,
    dv: &mut [f32],
) {
    let [mean_q, mean_qn] = means.map(|mean| simd.splat_f32s(mean));
    let inverse_deviation = simd.splat_f32s(inverse_deviation);
    for at in (0..dy.len()).step_by(S::F32_LANES) {
        let q = simd.mul_f32s(load(simd, dy, at), load(simd, weight, at));
        let v = simd.sub_f32s(q, simd.mul_add_e_f32s(load(simd, n, at), mean_qn, mean_q));
        store(simd, dv, at, simd.mul_f32s(v, inverse_deviation));
    }
}
