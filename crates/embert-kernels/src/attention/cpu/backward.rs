//! Backward: P again from the log-sum-exp; with dP = mask∘(dO·Vᵀ), D = Σ P∘dP of a query, which is Σ dO∘O, P̃ = mask∘P
//! and dS = P∘(dP − D)/√d: dV = P̃ᵀ·dO, dQ = dS·K, dK = dSᵀ·Q. The output need not be kept.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use super::heads::{Heads, Task};
use super::inputs::{Inputs, Rows};
use super::output::Output;
use super::tile::{MOST_QUERIES, Packed, multiply};
use crate::cpu::Lines;
use crate::cpu::math::exp;
use crate::cpu::matmul::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};
use crate::cpu::vectors::{load, store};
use crate::dropout::cpu::Draw;

/// What forward was given and made.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) log_sums: &'a [f32],
}

/// Memory for the gradients of query, key and value.
#[derive(Clone, Copy)]
struct Gradients<'a> {
    query: Output<'a>,
    key: Output<'a>,
    value: Output<'a>,
}

/// The gradient of query, key and value side by side, `[tokens, 3 · hidden]`, for that of the output, `[tokens, hidden]`.
pub(super) fn backward(cpu: Cpu, kept: Kept<'_>, gradient: &[f32], heads: &Heads) -> Vec<f32> {
    let mut qkv = heads.buffer(heads.layout.num_tokens() * 3 * heads.hidden());
    let [query, key, value] = Output::side_by_side(qkv.slots(), heads, heads.width);
    let to = Gradients { query, key, value };
    heads.for_each(|task| cpu.narrow(Backward { kept, gradient, heads, task, to }));
    // SAFETY: each head of each sequence was a task, which has written its columns of all three parts in all rows of the
    // sequence. Other rows are padding, of which `buffer` has made zeros.
    unsafe { qkv.assume_init() }
}

/// The gradients of query, `[sequences, hidden]`, and of key and value side by side, `[tokens, 2 · hidden]`, for that of the
/// output of first tokens, `[sequences, hidden]`.
pub(super) fn backward_of_first(
    cpu: Cpu,
    kept: Kept<'_>,
    gradient: &[f32],
    heads: &Heads,
) -> (Vec<f32>, Vec<f32>) {
    let mut query = heads.buffer(heads.num_queries() * heads.hidden());
    let mut key_value = heads.buffer(heads.layout.num_tokens() * 2 * heads.hidden());
    let [of_query] = Output::side_by_side(query.slots(), heads, heads.width);
    let [key, value] = Output::side_by_side(key_value.slots(), heads, heads.width);
    let to = Gradients { query: of_query, key, value };
    heads.for_each(|task| cpu.narrow(Backward { kept, gradient, heads, task, to }));
    // SAFETY: as in `backward`; the query has one row for each sequence.
    unsafe { (query.assume_init(), key_value.assume_init()) }
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
    to: Gradients<'a>,
}

impl WithKernel for Backward<'_> {
    type Output = ();

    fn run<K: Kernel, S: Simd>(self, kernel: K, simd: S) {
        let Self { kept: Kept { inputs, .. }, heads, task, to, .. } = self;
        let mut scratch = SCRATCH.take();
        let queries = inputs.query.of_head(heads, task.head, task.first_query, task.queries);
        let keys = inputs.key.of_head(heads, task.head, task.start, task.length);
        let values = inputs.value.of_head(heads, task.head, task.start, task.length);
        scratch.keys.left(kernel, keys);
        scratch.values.left(kernel, values);
        scratch.keys_by_column.left(kernel, keys.t());
        let gradients = Rows::part(self.gradient, 0, 1, heads);
        let gradients = gradients.of_head(heads, task.head, task.first_query, task.queries);
        for first in (0..task.queries).step_by(K::NR) {
            let count = K::NR.min(task.queries - first);
            let (queries, gradients) = (queries.rows(first, count), gradients.rows(first, count));
            self.tile(kernel, simd, &mut scratch, queries, gradients, first);
            let dq = scratch.dq.floats(heads.width * K::NR);
            // SAFETY: these are queries of the task's sequence, and `Heads::for_each` gives each sequence and head to one
            // task.
            unsafe {
                to.query.write(task, task.first_query + first, count, |i, column| dq[column * K::NR + i])
            };
        }
        let stride = heads.width.next_multiple_of(K::NR);
        let [dk, dv] = [&scratch.dk, &scratch.dv].map(|d| d.floats(task.length * stride));
        // SAFETY: as above, for the keys.
        unsafe {
            to.key.write(task, task.start, task.length, |i, column| dk[i * stride + column]);
            to.value.write(task, task.start, task.length, |i, column| dv[i * stride + column]);
        }
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
}

/// Turns scores into P̃ and dO·Vᵀ into dS, all `[keys, queries]`.
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
        for (i, log_sum) in log_sums.iter_mut().enumerate().take(self.count) {
            let row = task.first_query + self.first + i;
            *log_sum = kept.log_sums[row * heads.num_heads + task.head];
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
                mask: draw.map(|draw| (draw, rows)),
            };
            let dots = column.probabilities(simd, self.probabilities, self.dscores);
            column.dscores(simd, self.probabilities, self.dscores, dots, heads.kept_scale());
        }
    }
}

struct Column<S: Simd> {
    stride: usize,
    lane: usize,
    scale: S::f32s,
    log_sum: S::f32s,
    mask: Option<(Draw<S>, S::u32s)>,
}

impl<S: Simd> Column<S> {
    /// Scores become P, negative where dropout drops it, and dO·Vᵀ becomes dP; gives D.
    #[inline(always)]
    fn probabilities(&self, simd: S, scores: &mut [f32], dp: &mut [f32]) -> S::f32s {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let mut dots = zero;
        let rows = scores.chunks_exact_mut(self.stride).zip(dp.chunks_exact_mut(self.stride));
        for (key, (scores, dp)) in rows.enumerate() {
            let score = simd.mul_f32s(load(simd, scores, self.lane), self.scale);
            let p = exp(simd, simd.sub_f32s(score, self.log_sum));
            let mask = match self.mask {
                Some((draw, rows)) => draw.down_column(rows, key),
                None => one,
            };
            let gradient = simd.mul_f32s(load(simd, dp, self.lane), mask);
            dots = simd.mul_add_e_f32s(p, gradient, dots);
            store(simd, dp, self.lane, gradient);
            let signed = simd.select_f32s(simd.greater_than_f32s(mask, zero), p, simd.neg_f32s(p));
            store(simd, scores, self.lane, signed);
        }
        dots
    }

    /// P becomes P̃, which is scaled by 1/(1 − rate) where it was not dropped, and dP becomes dS.
    #[inline(always)]
    fn dscores(&self, simd: S, probabilities: &mut [f32], dp: &mut [f32], dots: S::f32s, kept_scale: f32) {
        let (zero, kept_scale) = (simd.splat_f32s(0.0), simd.splat_f32s(kept_scale));
        let rows = probabilities.chunks_exact_mut(self.stride).zip(dp.chunks_exact_mut(self.stride));
        for (probabilities, dp) in rows {
            let signed = load(simd, probabilities, self.lane);
            let centered = simd.sub_f32s(load(simd, dp, self.lane), dots);
            let ds = simd.mul_f32s(simd.mul_f32s(simd.abs_f32s(signed), centered), self.scale);
            store(simd, dp, self.lane, ds);
            store(simd, probabilities, self.lane, simd.mul_f32s(simd.max_f32s(signed, zero), kept_scale));
        }
    }
}
