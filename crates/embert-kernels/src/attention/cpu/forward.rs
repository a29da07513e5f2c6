//! The forward pass of attention: O, and the log-sum-exp of the scores for each query and head.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use super::head_output::HeadOutput;
use super::heads::{HeadTask, Heads};
use super::inputs::Inputs;
use super::packed_operand::{MAX_QUERIES, PackedOperand, multiply};
use super::relative_bias::RelativeBias;
use crate::cpu::AlignedBuffer;
use crate::cpu::math::exp;
use crate::cpu::matmul::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};
use crate::cpu::vectors::{load, store};
use crate::dropout::cpu::MaskGenerator;

/// Returns O, `[queries, hidden]`, and the log-sum-exp, `[queries, num_heads]`. Padding rows are 0.
pub(super) fn forward(cpu: Cpu, inputs: Inputs<'_>, heads: &Heads) -> (Vec<f32>, Vec<f32>) {
    let mut output = heads.output_buffer(heads.num_queries() * heads.hidden());
    let mut log_sum_exp = heads.output_buffer(heads.num_queries() * heads.num_heads);
    let [to] = HeadOutput::column_blocks(output.as_uninit_mut(), heads, heads.width);
    let [sums] = HeadOutput::column_blocks(log_sum_exp.as_uninit_mut(), heads, 1);
    heads.for_each(|task| {
        cpu.with_narrow_tile(Forward { inputs, heads, task, output: to, log_sum_exp: sums })
    });
    // SAFETY: every element is initialized. `Heads::for_each` runs one task for each head of each sequence.
    // The task writes the columns of its head in all query rows of its sequence, in both buffers. In a packed
    // layout these are all rows. In a padded layout the other rows are padding, which `output_buffer` has
    // filled with zeros.
    unsafe { (output.assume_init(), log_sum_exp.assume_init()) }
}

#[derive(Default)]
struct Scratch {
    keys: PackedOperand,
    values: PackedOperand,
    queries: PackedOperand,
    probabilities: PackedOperand,
    scores: AlignedBuffer,
    output: AlignedBuffer,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

struct Forward<'a> {
    inputs: Inputs<'a>,
    heads: &'a Heads,
    task: HeadTask,
    output: HeadOutput<'a>,
    log_sum_exp: HeadOutput<'a>,
}

impl WithKernel for Forward<'_> {
    type Output = ();

    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, simd: S) {
        let Self { inputs, heads, task, .. } = self;
        let mut scratch = SCRATCH.take();
        let queries = inputs.query.head(heads, task.head, task.first_query, task.queries);
        scratch.keys.pack_left(kernel, inputs.key.head(heads, task.head, task.start, task.length));
        scratch.values.pack_left(kernel, inputs.value.head(heads, task.head, task.start, task.length).t());
        for first in (0..task.queries).step_by(K::NR) {
            let count = K::NR.min(task.queries - first);
            let keys = heads.keys(task, first, count, K::MR);
            scratch.queries.pack_right(kernel, queries.rows(first, count));
            let scores = scratch.scores.floats_mut(keys.len().next_multiple_of(K::MR) * K::NR);
            let has_bias = RelativeBias::copy_to(inputs.bias, scores, task, keys.clone(), first, K::NR);
            multiply(kernel, scratch.keys.rows::<K>(&keys), scratch.queries.all(), has_bias, scores); // [keys, NR]
            let scores = &mut scores[..keys.len() * K::NR];
            heads.mask_window(scores, keys.clone(), first, K::NR);
            let first_key = keys.start;
            let sums = simd.vectorize(Softmax { scores, heads, task, first, first_key, queries: K::NR });
            scratch.probabilities.pack_right(kernel, Matrix::new(scores, keys.len(), K::NR).t());
            let (values, probabilities) = (scratch.values.columns::<K>(&keys), scratch.probabilities.all());
            let output = scratch.output.floats_mut(heads.width.next_multiple_of(K::MR) * K::NR);
            multiply(kernel, values, probabilities, false, output); // [width, NR]
            let row = task.first_query + first;
            // SAFETY: rows `row..` are `count` queries of the task's sequence. Two sequences share no row,
            // because `SequenceLayout::padded_to` is at least every length. `Heads::for_each` gives each
            // sequence and head to exactly one task. So no other task accesses these rows and columns.
            unsafe {
                self.output.write(task, row, count, |i, column| output[column * K::NR + i] * sums[i].0);
                self.log_sum_exp.write(task, row, count, |i, _| sums[i].1);
            }
        }
        SCRATCH.set(scratch);
    }
}

/// Replaces scores, `[keys, queries]`, by mask ∘ e^(scale · score − maximum).
struct Softmax<'a> {
    scores: &'a mut [f32],
    heads: &'a Heads,
    task: HeadTask,
    first: usize,
    first_key: usize,
    queries: usize,
}

impl WithSimd for Softmax<'_> {
    /// 1/Σ and the log-sum-exp for each query.
    type Output = [(f32, f32); MAX_QUERIES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut dropout_keys = [0u32; MAX_QUERIES];
        self.heads.dropout_keys(self.task, self.first, &mut dropout_keys[..self.queries]);
        let generator = self.heads.rate().map(|rate| MaskGenerator::new(simd, rate));
        let scale = self.heads.scale();
        let mut sums = [(0.0, 0.0); MAX_QUERIES];
        for lane in (0..self.queries).step_by(S::F32_LANES) {
            let rows = simd.partial_load_u32s(&dropout_keys[lane..lane + S::U32_LANES]);
            let max = column_maximum(simd, self.scores, self.queries, lane);
            let max = simd.mul_f32s(max, simd.splat_f32s(scale));
            let mask = generator.map(|generator| (generator, rows));
            let scores = self.scores.chunks_exact_mut(self.queries).zip(self.first_key..);
            let sum = exponentials(simd, scores, lane, scale, max, mask);
            let (mut max_of, mut sum_of) = ([0.0; MAX_QUERIES], [0.0; MAX_QUERIES]);
            store(simd, &mut max_of, 0, max);
            store(simd, &mut sum_of, 0, sum);
            for i in 0..S::F32_LANES {
                sums[lane + i] = (1.0 / sum_of[i], max_of[i] + sum_of[i].ln());
            }
        }
        sums
    }
}

#[inline(always)]
pub(crate) fn column_maximum<S: Simd>(simd: S, scores: &[f32], stride: usize, lane: usize) -> S::f32s {
    let mut max = simd.splat_f32s(f32::NEG_INFINITY);
    for row in scores.chunks_exact(stride) {
        max = simd.max_f32s(max, load(simd, row, lane));
    }
    max
}

/// Replaces each score s by mask ∘ e^(scale·s − max). Returns Σ e^(scale·s − max) for each column. `scores` are the rows
/// with their keys.
#[inline(always)]
pub(crate) fn exponentials<'a, S: Simd>(
    simd: S,
    scores: impl Iterator<Item = (&'a mut [f32], usize)>,
    lane: usize,
    scale: f32,
    max: S::f32s,
    mask: Option<(MaskGenerator<S>, S::u32s)>,
) -> S::f32s {
    let scale = simd.splat_f32s(scale);
    let mut sum = simd.splat_f32s(0.0);
    for (row, key) in scores {
        let e = exp(simd, simd.sub_f32s(simd.mul_f32s(load(simd, row, lane), scale), max));
        sum = simd.add_f32s(sum, e);
        let e = match mask {
            Some((generator, rows)) => simd.mul_f32s(e, generator.down_column(rows, key)),
            None => e,
        };
        store(simd, row, lane, e);
    }
    sum
}
