//! y = γ·n + β with n = (v − μ)/√(σ² + ε) and v = residual + mask∘x, by rows;
//! dv = (q − mean(q) − n·mean(q∘n))/√(σ² + ε) with q = γ∘dy.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::dropout::{Draw, ROWS_PER_TASK};
use super::memory::sum_in_order;
use super::simd::Cpu;
use super::uninit::{Uninit, Writer, optional_writers};
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
    let (mut y, mut normalized) = (Uninit::new(x.len()), Uninit::new(x.len()));
    let mut inverse_deviation = vec![0.0; rows];
    let task = columns * ROWS_PER_TASK;
    let outputs = y.writers(task).into_par_iter().zip(normalized.writers(task));
    outputs.zip(inverse_deviation.par_chunks_mut(ROWS_PER_TASK)).enumerate().for_each(
        |(i, ((y, n), inverse_deviation))| {
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
        },
    );
    Normalized { y: y.finish(), normalized: normalized.finish(), inverse_deviation }
}

fn chunk(values: &[f32], index: usize, size: usize) -> &[f32] {
    &values[index * size..values.len().min((index + 1) * size)]
}

struct Forward<'a> {
    x: &'a [f32],
    residual: Option<&'a [f32]>,
    y: Writer<'a>,
    n: Writer<'a>,
    inverse_deviation: &'a mut [f32],
    norm: Norm<'a>,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let columns = self.norm.weight.len();
        let draw = Draw::new(simd, self.norm.mask.map_or(0.0, |(_, rate)| rate));
        for (row, inverse_deviation) in self.inverse_deviation.iter_mut().enumerate() {
            let span = row * columns..(row + 1) * columns;
            let x = &self.x[span.clone()];
            let residual = self.residual.map(|residual| &residual[span.clone()]);
            let key = self.norm.mask.map(|(keys, _)| keys[row]);
            let (v, sum) = residual_sum(simd, x, residual, key.map(|key| (draw, key)), &mut self.n);
            let variance = center(simd, v, sum / columns as f32) / columns as f32;
            *inverse_deviation = 1.0 / (variance + self.norm.epsilon).sqrt();
            scale(simd, v, &mut self.y, *inverse_deviation, self.norm);
        }
    }
}

/// Writes v = residual + mask∘x; returns it and Σ v.
#[inline(always)]
fn residual_sum<'a, S: Simd>(
    simd: S,
    x: &[f32],
    residual: Option<&[f32]>,
    mask: Option<(Draw<S>, u32)>,
    v: &'a mut Writer<'_>,
) -> (&'a mut [f32], f32) {
    let mut sum = simd.splat_f32s(0.0);
    let v = v.row(simd, x.len(), |at| {
        let mut value = load(simd, x, at);
        if let Some((draw, key)) = mask {
            value = simd.mul_f32s(value, draw.along_row(key, at));
        }
        if let Some(residual) = residual {
            value = simd.add_f32s(value, load(simd, residual, at));
        }
        sum = simd.add_f32s(sum, value);
        value
    });
    (v, simd.reduce_sum_f32s(sum))
}

/// v ← v − mean; returns Σ v².
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
fn scale<S: Simd>(simd: S, n: &mut [f32], y: &mut Writer<'_>, inverse_deviation: f32, norm: Norm<'_>) {
    let inverse_deviation = simd.splat_f32s(inverse_deviation);
    y.row(simd, n.len(), |at| {
        let value = simd.mul_f32s(load(simd, n, at), inverse_deviation);
        store(simd, n, at, value);
        simd.mul_add_e_f32s(value, load(simd, norm.weight, at), load(simd, norm.bias, at))
    });
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
    let mut residual = Uninit::new(dy.len());
    let mut x = norm.mask.map(|_| Uninit::new(dy.len()));
    let outputs =
        residual.writers(task).into_par_iter().zip(optional_writers(x.as_mut(), dy.len(), task)).enumerate();
    let parts = outputs.map(|(i, (residual, x))| {
        let deviations = chunk(inverse_deviation, i, ROWS_PER_TASK);
        let norm = Norm { mask: keys_of(norm, i), ..norm };
        let (dy, n) = (chunk(dy, i, task), chunk(normalized, i, task));
        cpu.vectors(Back { dy, n, inverse_deviation: deviations, x, residual, norm })
    });
    let weight_and_bias = sum_in_order(parts.collect());
    NormGradients { x: x.map(Uninit::finish), residual: residual.finish(), weight_and_bias }
}

struct Back<'a> {
    dy: &'a [f32],
    n: &'a [f32],
    inverse_deviation: &'a [f32],
    x: Option<Writer<'a>>,
    residual: Writer<'a>,
    norm: Norm<'a>,
}

impl WithSimd for Back<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        let columns = self.norm.weight.len();
        let draw = Draw::new(simd, self.norm.mask.map_or(0.0, |(_, rate)| rate));
        let mut sums = vec![0.0; 2 * columns];
        for (row, &inverse_deviation) in self.inverse_deviation.iter().enumerate() {
            let span = row * columns..(row + 1) * columns;
            let (dy, n) = (&self.dy[span.clone()], &self.n[span]);
            let means = row_sums(simd, dy, n, self.norm.weight, &mut sums).map(|sum| sum / columns as f32);
            let dv = &mut self.residual;
            let dv = row_gradient(simd, dy, n, self.norm.weight, means, inverse_deviation, dv);
            if let (Some(x), Some((keys, _))) = (&mut self.x, self.norm.mask) {
                x.row(simd, columns, |at| simd.mul_f32s(load(simd, dv, at), draw.along_row(keys[row], at)));
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
fn row_gradient<'a, S: Simd>(
    simd: S,
    dy: &[f32],
    n: &[f32],
    weight: &[f32],
    means: [f32; 2],
    inverse_deviation: f32,
    dv: &'a mut Writer<'_>,
) -> &'a [f32] {
    let [mean_q, mean_qn] = means.map(|mean| simd.splat_f32s(mean));
    let inverse_deviation = simd.splat_f32s(inverse_deviation);
    dv.row(simd, dy.len(), |at| {
        let q = simd.mul_f32s(load(simd, dy, at), load(simd, weight, at));
        let v = simd.sub_f32s(q, simd.mul_add_e_f32s(load(simd, n, at), mean_qn, mean_q));
        simd.mul_f32s(v, inverse_deviation)
    })
}
