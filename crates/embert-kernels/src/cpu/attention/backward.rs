//! Backward: P again from the log-sum-exp; with D = Σ dO∘O of a query, P̃ = mask∘P and dS = P∘(mask∘dP − D)/√d:
//! dV = P̃ᵀ·dO, dP = dO·Vᵀ, dQ = dS·K, dK = dSᵀ·Q.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use super::forward::MOST_QUERIES;
use super::tile::{Packed, multiply};
use super::{Heads, Output, Task};
use crate::cpu::dropout::Draw;
use crate::cpu::lines::Lines;
use crate::cpu::math::exp;
use crate::cpu::memory::unwritten;
use crate::cpu::product::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};
use crate::cpu::vectors::{load, store};

/// What forward was given and made.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) qkv: &'a [f32],
    pub(crate) output: &'a [f32],
    pub(crate) log_sums: &'a [f32],
}

/// The gradient of `qkv`, `[tokens, 3 · hidden]`, for that of the output. Rows that are padding are 0.
pub(crate) fn backward(cpu: Cpu, kept: Kept<'_>, gradient: &[f32], heads: &Heads) -> Vec<f32> {
    let len = kept.qkv.len();
    let mut dqkv = if heads.layout.padded_to.is_some() { vec![0.0; len] } else { unwritten(len) };
    let to = Output(dqkv.as_mut_ptr());
    heads.for_each(|task| cpu.narrow(Backward { kept, gradient, heads, task, dqkv: to }));
    dqkv
}

#[derive(Default)]
struct Scratch {
    keys: Packed,
    values: Packed,
    keys_by_column: Packed,
    queries: Packed,
    gradients: Packed,
    by_key: Packed,
    by_query: Packed,
    probabilities: Lines,
    dscores: Lines,
    dq: Lines,
    dk: Lines,
    dv: Lines,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

struct Backward<'a> {
    kept: Kept<'a>,
    gradient: &'a [f32],
    heads: &'a Heads,
    task: Task,
    dqkv: Output,
}

impl WithKernel for Backward<'_> {
    type Output = ();

    fn run<K: Kernel, S: Simd>(self, kernel: K, simd: S) {
        let Self { heads, task, .. } = self;
        let mut scratch = SCRATCH.take();
        let [queries, keys, values] = [0, 1, 2].map(|part| heads.part(self.kept.qkv, task, part));
        scratch.keys.left(kernel, keys);
        scratch.values.left(kernel, values);
        scratch.keys_by_column.left(kernel, keys.t());
        let gradients = heads.rows(self.gradient, task);
        for first in (0..task.length).step_by(K::NR) {
            let count = K::NR.min(task.length - first);
            self.tile(
                kernel,
                simd,
                &mut scratch,
                queries.rows(first, count),
                gradients.rows(first, count),
                first,
            );
            let dq = scratch.dq.floats(heads.width * K::NR);
            self.write(0, first, count, |i, column| dq[column * K::NR + i]);
        }
        let stride = heads.width.next_multiple_of(K::NR);
        let [dk, dv] = [&scratch.dk, &scratch.dv].map(|d| d.floats(task.length * stride));
        self.write(1, 0, task.length, |i, column| dk[i * stride + column]);
        self.write(2, 0, task.length, |i, column| dv[i * stride + column]);
        SCRATCH.set(scratch);
    }
}

impl Backward<'_> {
    /// One tile of queries: adds to dK and dV, makes dQᵀ `[width, NR]`.
    fn tile<K: Kernel, S: Simd>(
        &self,
        kernel: K,
        simd: S,
        scratch: &mut Scratch,
        queries: Matrix<'_>,
        gradients: Matrix<'_>,
        first: usize,
    ) {
        let (keys, count) = (self.task.length, queries.rows);
        scratch.queries.right(kernel, queries);
        scratch.gradients.right(kernel, gradients);
        multiply(kernel, &scratch.keys, &scratch.queries, false, &mut scratch.probabilities); // [keys, NR]
        multiply(kernel, &scratch.values, &scratch.gradients, false, &mut scratch.dscores); // [keys, NR]
        let probabilities = scratch.probabilities.floats_mut(keys * K::NR);
        let dscores = scratch.dscores.floats_mut(keys * K::NR);
        simd.vectorize(Scores { of: self, probabilities, dscores, first, count, queries: K::NR });
        let by_key = |matrix| Matrix::strided(matrix, keys, count, K::NR); // [keys, queries]
        scratch.by_key.left(kernel, by_key(probabilities));
        scratch.by_query.right(kernel, gradients.t());
        multiply(kernel, &scratch.by_key, &scratch.by_query, first > 0, &mut scratch.dv); // [keys, width]
        scratch.by_key.left(kernel, by_key(dscores));
        scratch.by_query.right(kernel, queries.t());
        multiply(kernel, &scratch.by_key, &scratch.by_query, first > 0, &mut scratch.dk); // [keys, width]
        scratch.by_query.right(kernel, Matrix::new(dscores, keys, K::NR).t());
        multiply(kernel, &scratch.keys_by_column, &scratch.by_query, false, &mut scratch.dq); // [width, NR]
    }

    /// Writes the rows from `first` on of one part of the gradient.
    fn write(&self, part: usize, first: usize, count: usize, value: impl Fn(usize, usize) -> f32) {
        let Self { heads, task, .. } = self;
        for i in 0..count {
            let row = (task.start + first + i) * 3 * heads.hidden();
            let to = self.dqkv.at(row + part * heads.hidden() + task.head * heads.width);
            for column in 0..heads.width {
                // SAFETY: only this task writes the columns of its head in the rows of its sequence.
                unsafe { *to.add(column) = value(i, column) };
            }
        }
    }

    /// D = Σ dO∘O of a query.
    #[inline(always)]
    fn dot_with_output<S: Simd>(&self, simd: S, query: usize) -> f32 {
        let first = (self.task.start + query) * self.heads.hidden() + self.task.head * self.heads.width;
        let of_head = first..first + self.heads.width;
        crate::cpu::vectors::dot(simd, &self.gradient[of_head.clone()], &self.kept.output[of_head])
    }
}

/// Turns scores into P̃ and dP into dS, both `[keys, queries]`.
struct Scores<'a> {
    of: &'a Backward<'a>,
    probabilities: &'a mut [f32],
    dscores: &'a mut [f32],
    first: usize,
    count: usize,
    queries: usize,
}

impl WithSimd for Scores<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward { heads, task, kept, .. } = *self.of;
        let mut log_sums = [f32::MAX; MOST_QUERIES]; // queries that are not there get P = 0
        let mut dots = [0.0; MOST_QUERIES];
        for i in 0..self.count {
            let row = task.start + self.first + i;
            log_sums[i] = kept.log_sums[row * heads.num_heads + task.head];
            dots[i] = self.of.dot_with_output(simd, self.first + i);
        }
        let mut dropout_keys = [0u32; MOST_QUERIES];
        heads.dropout_keys(task, self.first, &mut dropout_keys[..self.queries]);
        let draw = heads.rate().map(|rate| Draw::new(simd, rate));
        for lane in (0..self.queries).step_by(S::F32_LANES) {
            let rows = simd.partial_load_u32s(&dropout_keys[lane..lane + S::U32_LANES]);
            let column = Column {
                stride: self.queries,
                lane,
                scale: simd.splat_f32s(heads.scale()),
                log_sum: load(simd, &log_sums, lane),
                dot: load(simd, &dots, lane),
                mask: draw.map(|draw| (draw, rows)),
            };
            column.run(simd, self.probabilities, self.dscores);
        }
    }
}

struct Column<S: Simd> {
    stride: usize,
    lane: usize,
    scale: S::f32s,
    log_sum: S::f32s,
    dot: S::f32s,
    mask: Option<(Draw<S>, S::u32s)>,
}

impl<S: Simd> Column<S> {
    #[inline(always)]
    fn run(self, simd: S, probabilities: &mut [f32], dscores: &mut [f32]) {
        let rows = probabilities.chunks_exact_mut(self.stride).zip(dscores.chunks_exact_mut(self.stride));
        for (key, (probabilities, dscores)) in rows.enumerate() {
            let score = simd.mul_f32s(load(simd, probabilities, self.lane), self.scale);
            let p = exp(simd, simd.sub_f32s(score, self.log_sum));
            let (mut dp, mut dropped) = (load(simd, dscores, self.lane), p);
            if let Some((draw, rows)) = self.mask {
                let factor = draw.down_column(rows, key);
                (dp, dropped) = (simd.mul_f32s(dp, factor), simd.mul_f32s(p, factor));
            }
            let ds = simd.mul_f32s(simd.mul_f32s(p, simd.sub_f32s(dp, self.dot)), self.scale);
            store(simd, probabilities, self.lane, dropped);
            store(simd, dscores, self.lane, ds);
        }
    }
}
