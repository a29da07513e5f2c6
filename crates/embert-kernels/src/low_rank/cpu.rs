//! The low-rank update on the CPU: y + s·x̃·A·B with x̃ = dropout(x). It saves u = s·x̃·A. With v = s·g·Bᵀ:
//! dB = uᵀ·g, dA = x̃ᵀ·v, dx = dropout(v·Aᵀ).
//!
//! Each pass reads the rows once. With so few columns, separate matrix products are not faster.

use std::ops::Range;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::autodiff::custom_op;
use crate::cpu::output_buffer::{OutputBuffer, Writer, optional_writers};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec, sum_in_order};
use crate::cpu::vectors::{dot, load, store};
use crate::dropout::DropoutSite;
use crate::dropout::cpu::{MaskGenerator, ROWS_PER_TASK, keys_of_task};
use crate::dropout::mask::Mask;
use crate::layout::SequenceLayout;

pub(super) fn add_low_rank(
    y: Tensor<2>,
    x: Tensor<2>,
    [a, b]: [Tensor<2>; 2],
    scaling: f64,
    first_column: usize,
    layout: Option<&SequenceLayout>,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let mask = Mask::of_rows(site, layout, x.dims()[0]);
    custom_op::<Flex, 4, 2, _>([y, x, a, b].map(Tensor::into_dispatch), |[y, x, a, b], _| {
        let low_rank = LowRank::new(a, b, scaling, first_column, mask);
        let (y, u) = low_rank.add(y, &x);
        let backward_fn = move |g: FlexTensor, [_, x_needed, _, _]: [bool; 4]| {
            let [dx, da, db] = low_rank.backward(&g, &x, &u, x_needed);
            [Some(g), dx, da, db]
        };
        (y, backward_fn)
    })
}

/// A, B, s, the updated columns of y, and the dropout of x. All computation is fp32.
struct LowRank {
    /// Aᵀ, `[r, in]`.
    a_t: Vec<f32>,
    /// B, `[r, out]`.
    b: FlexTensor,
    rank: usize,
    scaling: f32,
    columns: Range<usize>,
    mask: Option<Mask>,
}

impl LowRank {
    fn new(a: FlexTensor, b: FlexTensor, scaling: f64, first_column: usize, mask: Option<Mask>) -> Self {
        let [input, rank] = a.shape().dims();
        let columns = first_column..first_column + b.shape()[1];
        Self { a_t: transposed(as_slice(&a), input, rank), b, rank, scaling: scaling as f32, columns, mask }
    }

    /// Adds the update to y, in place if no other tensor shares its memory. Returns y and u, `[rows, r]`.
    fn add(&self, mut y: FlexTensor, x: &FlexTensor) -> (FlexTensor, Vec<f32>) {
        let ([rows, columns], input) = (y.shape().dims(), x.shape()[1]);
        let mut u = vec![0.0; rows * self.rank];
        let tasks = y.storage_mut::<f32>().par_chunks_mut(columns * ROWS_PER_TASK);
        let tasks = tasks.zip(u.par_chunks_mut(self.rank * ROWS_PER_TASK));
        tasks.zip(as_slice(x).par_chunks(input * ROWS_PER_TASK)).enumerate().for_each(
            |(task, ((y, u), x))| {
                Cpu::fp32().vectorize(Forward { of: self, task, columns, x, y, u });
            },
        );
        (y, u)
    }

    /// Returns the gradients of x (if it needs one), A and B.
    fn backward(&self, g: &FlexTensor, x: &FlexTensor, u: &[f32], x_needed: bool) -> [Option<FlexTensor>; 3] {
        let (shape @ [_, input], [_, columns]) = (x.shape().dims::<2>(), g.shape().dims::<2>());
        let (len, task) = (as_slice(x).len(), input * ROWS_PER_TASK);
        let mut dx = x_needed.then(|| OutputBuffer::new(len));
        let tasks =
            optional_writers(dx.as_mut(), len, task).into_par_iter().zip(as_slice(x).par_chunks(task));
        let tasks = tasks.zip(as_slice(g).par_chunks(columns * ROWS_PER_TASK));
        let tasks = tasks.zip(u.par_chunks(self.rank * ROWS_PER_TASK)).enumerate();
        let parts = tasks.map(|(task, (((dx, x), g), u))| {
            Cpu::fp32().vectorize(Backward { of: self, task, columns, x, g, u, dx })
        });
        let sums = sum_in_order(parts.collect()); // dAᵀ, then dB
        let (da_t, db) = sums.split_at(self.a_t.len());
        let da = from_vec(transposed(da_t, self.rank, input), [input, self.rank]);
        let db = from_vec(db.to_vec(), [self.rank, self.columns.len()]);
        [dx.map(|dx| from_vec(dx.into_vec(), shape)), Some(da), Some(db)]
    }

    /// Returns the dropout mask of a task's rows.
    #[inline(always)]
    fn generator<S: Simd>(&self, simd: S, task: usize) -> Option<(MaskGenerator<S>, &[u32])> {
        keys_of_task(self.mask.as_ref(), task).map(|(keys, rate)| (MaskGenerator::new(simd, rate), keys))
    }
}

struct Forward<'a> {
    of: &'a LowRank,
    task: usize,
    /// The number of columns of y.
    columns: usize,
    x: &'a [f32],
    y: &'a mut [f32],
    u: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (of, input, output) = (self.of, self.of.a_t.len() / self.of.rank, self.of.columns.len());
        let (generator, b) = (of.generator(simd, self.task), as_slice(&of.b));
        let mut dropped = vec![0.0; input];
        let rows = self.x.chunks_exact(input).zip(self.y.chunks_exact_mut(self.columns));
        for (row, ((x, y), u)) in rows.zip(self.u.chunks_exact_mut(of.rank)).enumerate() {
            for offset in (0..input).step_by(S::F32_LANES) {
                let kept = factors(simd, generator, row, offset);
                store(simd, &mut dropped, offset, simd.mul_f32s(load(simd, x, offset), kept));
            }
            for (u, a) in u.iter_mut().zip(of.a_t.chunks_exact(input)) {
                *u = of.scaling * dot(simd, &dropped, a);
            }
            let y = &mut y[of.columns.clone()];
            for offset in (0..output).step_by(S::F32_LANES) {
                let sum = weighted_rows(simd, u, b, output, offset, load(simd, y, offset));
                store(simd, y, offset, sum);
            }
        }
    }
}

struct Backward<'a> {
    of: &'a LowRank,
    task: usize,
    /// The number of columns of g.
    columns: usize,
    x: &'a [f32],
    g: &'a [f32],
    u: &'a [f32],
    dx: Option<Writer<'a>>,
}

impl WithSimd for Backward<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        let (of, input, output) = (self.of, self.of.a_t.len() / self.of.rank, self.of.columns.len());
        let (generator, b) = (of.generator(simd, self.task), as_slice(&of.b));
        let mut sums = vec![0.0; of.rank * (input + output)];
        let (da_t, db) = sums.split_at_mut(of.a_t.len());
        let mut v = vec![0.0; of.rank];
        let rows = self.x.chunks_exact(input).zip(self.g.chunks_exact(self.columns));
        for (row, ((x, g), u)) in rows.zip(self.u.chunks_exact(of.rank)).enumerate() {
            let g = &g[of.columns.clone()];
            for (v, b) in v.iter_mut().zip(b.chunks_exact(output)) {
                *v = of.scaling * dot(simd, g, b);
            }
            for offset in (0..output).step_by(S::F32_LANES) {
                add_weighted(simd, u, load(simd, g, offset), db, output, offset);
            }
            for offset in (0..input).step_by(S::F32_LANES) {
                let kept = factors(simd, generator, row, offset);
                add_weighted(simd, &v, simd.mul_f32s(load(simd, x, offset), kept), da_t, input, offset);
            }
            if let Some(dx) = &mut self.dx {
                dx.row(simd, input, |offset| {
                    let sum = weighted_rows(simd, &v, &of.a_t, input, offset, simd.splat_f32s(0.0));
                    simd.mul_f32s(sum, factors(simd, generator, row, offset))
                });
            }
        }
        sums
    }
}

/// Returns the dropout mask of a row from column `offset` on: 1 if nothing is dropped.
#[inline(always)]
fn factors<S: Simd>(
    simd: S,
    generator: Option<(MaskGenerator<S>, &[u32])>,
    row: usize,
    offset: usize,
) -> S::f32s {
    // A closure for `map_or` would be a function of its own, without the instructions of `simd`.
    match generator {
        Some((generator, keys)) => generator.along_row(keys[row], offset),
        None => simd.splat_f32s(1.0),
    }
}

/// Returns start + Σ weightⱼ · rowⱼ, from column `offset` on. Each row has `columns` elements.
#[inline(always)]
fn weighted_rows<S: Simd>(
    simd: S,
    weights: &[f32],
    rows: &[f32],
    columns: usize,
    offset: usize,
    start: S::f32s,
) -> S::f32s {
    let rows = weights.iter().zip(rows.chunks_exact(columns));
    rows.fold(start, |sum, (&weight, row)| {
        simd.mul_add_e_f32s(simd.splat_f32s(weight), load(simd, row, offset), sum)
    })
}

/// Computes rowⱼ += weightⱼ · values, from column `offset` on.
#[inline(always)]
fn add_weighted<S: Simd>(
    simd: S,
    weights: &[f32],
    values: S::f32s,
    rows: &mut [f32],
    columns: usize,
    offset: usize,
) {
    for (&weight, row) in weights.iter().zip(rows.chunks_exact_mut(columns)) {
        let sum = simd.mul_add_e_f32s(simd.splat_f32s(weight), values, load(simd, row, offset));
        store(simd, row, offset, sum);
    }
}

/// Transposes `[rows, columns]`. One of the two numbers is the rank, which is small.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}
