//! Forward: O and, for each query and head, the logarithm of the sum of the exponentials of its scores.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use super::heads::{Heads, Task};
use super::inputs::Inputs;
use super::output::Output;
use super::tile::{MOST_QUERIES, Packed, multiply};
use crate::cpu::Lines;
use crate::cpu::math::exp;
use crate::cpu::matmul::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};
use crate::cpu::vectors::{load, store};
use crate::dropout::cpu::Draw;

/// O `[queries, hidden]` and the log-sum-exp `[queries, num_heads]`. Rows that are padding are 0.
pub(super) fn forward(cpu: Cpu, inputs: Inputs<'_>, heads: &Heads) -> (Vec<f32>, Vec<f32>) {
    let mut output = heads.buffer(heads.num_queries() * heads.hidden());
    let mut log_sums = heads.buffer(heads.num_queries() * heads.num_heads);
    let [to] = Output::side_by_side(output.slots(), heads, heads.width);
    let [sums] = Output::side_by_side(log_sums.slots(), heads, 1);
    heads.for_each(|task| cpu.narrow(Forward { inputs, heads, task, output: to, log_sums: sums }));
    // SAFETY: each head of each sequence was a task, which has written its columns in all rows of the sequence's queries.
    // Other rows are padding, of which `buffer` has made zeros.
    unsafe { (output.assume_init(), log_sums.assume_init()) }
}

#[derive(Default)]
struct Scratch {
    keys: Packed,
    values: Packed,
    queries: Packed,
    probabilities: Packed,
    scores: Lines,
    output: Lines,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

struct Forward<'a> {
    inputs: Inputs<'a>,
    heads: &'a Heads,
    task: Task,
    output: Output<'a>,
    log_sums: Output<'a>,
}

impl WithKernel for Forward<'_> {
    type Output = ();

    fn run<K: Kernel, S: Simd>(self, kernel: K, simd: S) {
        let Self { inputs, heads, task, .. } = self;
        let mut scratch = SCRATCH.take();
        let queries = inputs.query.of_head(heads, task.head, task.first_query, task.queries);
        scratch.keys.left(kernel, inputs.key.of_head(heads, task.head, task.start, task.length));
        scratch.values.left(kernel, inputs.value.of_head(heads, task.head, task.start, task.length).t());
        for first in (0..task.queries).step_by(K::NR) {
            let count = K::NR.min(task.queries - first);
            scratch.queries.right(kernel, queries.rows(first, count));
            multiply(kernel, &scratch.keys, &scratch.queries, false, &mut scratch.scores); // [keys, NR]
            let scores = scratch.scores.floats_mut(task.length * K::NR);
            let sums = simd.vectorize(Softmax { scores, heads, task, first, queries: K::NR });
            scratch.probabilities.right(kernel, Matrix::new(scores, task.length, K::NR).t());
            multiply(kernel, &scratch.values, &scratch.probabilities, false, &mut scratch.output); // [width, NR]
            let output = scratch.output.floats(heads.width * K::NR);
            let row = task.first_query + first;
            // SAFETY: these are queries of the task's sequence, and `Heads::for_each` gives each sequence and head to one
            // task.
            unsafe {
                self.output.write(task, row, count, |i, column| output[column * K::NR + i] * sums[i].0);
                self.log_sums.write(task, row, count, |i, _| sums[i].1);
            }
        }
        SCRATCH.set(scratch);
    }
}

/// Turns scores `[keys, queries]` into mask ∘ e^(scale · score − maximum).
struct Softmax<'a> {
    scores: &'a mut [f32],
    heads: &'a Heads,
    task: Task,
    first: usize,
    queries: usize,
}

impl WithSimd for Softmax<'_> {
    /// 1/Σ and the log-sum-exp of each query.
    type Output = [(f32, f32); MOST_QUERIES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut dropout_keys = [0u32; MOST_QUERIES];
        self.heads.dropout_keys(self.task, self.first, &mut dropout_keys[..self.queries]);
        let draw = self.heads.rate().map(|rate| Draw::new(simd, rate));
        let scale = self.heads.scale();
        let mut sums = [(0.0, 0.0); MOST_QUERIES];
        for lane in (0..self.queries).step_by(S::F32_LANES) {
            let rows = simd.partial_load_u32s(&dropout_keys[lane..lane + S::U32_LANES]);
            let most = column_maximum(simd, self.scores, self.queries, lane);
            let most = simd.mul_f32s(most, simd.splat_f32s(scale));
            let mask = draw.map(|draw| (draw, rows));
            let sum = exponentials(simd, self.scores, self.queries, lane, scale, most, mask);
            let (mut most_of, mut sum_of) = ([0.0; MOST_QUERIES], [0.0; MOST_QUERIES]);
            store(simd, &mut most_of, 0, most);
            store(simd, &mut sum_of, 0, sum);
            for i in 0..S::F32_LANES {
                sums[lane + i] = (1.0 / sum_of[i], most_of[i] + sum_of[i].ln());
            }
        }
        sums
    }
}

#[inline(always)]
fn column_maximum<S: Simd>(simd: S, scores: &[f32], stride: usize, lane: usize) -> S::f32s {
    let mut most = simd.splat_f32s(f32::NEG_INFINITY);
    for row in scores.chunks_exact(stride) {
        most = simd.max_f32s(most, load(simd, row, lane));
    }
    most
}

/// s ← mask ∘ e^(scale·s − most) down the columns; gives Σ e^(scale·s − most).
#[inline(always)]
fn exponentials<S: Simd>(
    simd: S,
    scores: &mut [f32],
    stride: usize,
    lane: usize,
    scale: f32,
    most: S::f32s,
    mask: Option<(Draw<S>, S::u32s)>,
) -> S::f32s {
    let scale = simd.splat_f32s(scale);
    let mut sum = simd.splat_f32s(0.0);
    for (key, row) in scores.chunks_exact_mut(stride).enumerate() {
        let e = exp(simd, simd.sub_f32s(simd.mul_f32s(load(simd, row, lane), scale), most));
        sum = simd.add_f32s(sum, e);
        let e = match mask {
            Some((draw, rows)) => simd.mul_f32s(e, draw.down_column(rows, key)),
            None => e,
        };
        store(simd, row, lane, e);
    }
    sum
}
