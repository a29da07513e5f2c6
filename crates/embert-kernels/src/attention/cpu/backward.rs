//! The backward pass of attention. P is computed again from the log-sum-exp, so neither P nor the output is
//! saved.
//!
//! With dP = mask∘(dO·Vᵀ), D = Σ P∘dP of a query (which equals Σ dO∘O), P̃ = mask∘P and dS = P∘(dP − D)/√d:
//! dV = P̃ᵀ·dO, dQ = dS·K, dK = dSᵀ·Q. P is 0 outside of the window. The gradient of the bias of a distance is
//! the sum of √d·dS over the queries and keys with this distance.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use super::head_output::HeadOutput;
use super::heads::{HeadTask, Heads};
use super::inputs::{Inputs, Projection};
use super::packed_operand::{MAX_QUERIES, PackedOperand, multiply};
use super::relative_bias::{AddDiagonals, DiagonalSums, RelativeBias};
use crate::cpu::AlignedBuffer;
use crate::cpu::math::exp;
use crate::cpu::matmul::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};
use crate::cpu::vectors::{load, store};
use crate::dropout::cpu::MaskGenerator;

/// The tensors that the forward pass saves.
#[derive(Clone, Copy)]
pub(super) struct SavedForBackward<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) log_sum_exp: &'a [f32],
}

/// The memory for the gradients of query, key and value, and of the bias if it needs one.
#[derive(Clone, Copy)]
struct GradientOutputs<'a> {
    query: HeadOutput<'a>,
    key: HeadOutput<'a>,
    value: HeadOutput<'a>,
    bias: Option<&'a DiagonalSums>,
}

/// Returns the gradient of query, key and value, `[tokens, 3 · hidden]`. `gradient` is the gradient of the
/// output, `[tokens, hidden]`. Sets `bias`.
pub(super) fn backward(
    cpu: Cpu,
    saved: SavedForBackward<'_>,
    gradient: &[f32],
    heads: &Heads,
    bias: Option<&DiagonalSums>,
) -> Vec<f32> {
    let mut qkv = heads.output_buffer(heads.layout.num_tokens() * 3 * heads.hidden());
    let [query, key, value] = HeadOutput::column_blocks(qkv.as_uninit_mut(), heads, heads.width);
    let to = GradientOutputs { query, key, value, bias };
    heads.for_each(|task| cpu.with_narrow_tile(Backward { saved, gradient, heads, task, to }));
    // SAFETY: every element is initialized. `Heads::for_each` runs one task for each head of each sequence.
    // The task writes the columns of its head in the query, key and value blocks of all rows of its sequence.
    // In a packed layout these are all rows. In a padded layout the other rows are padding, which
    // `output_buffer` has filled with zeros.
    unsafe { qkv.assume_init() }
}

/// Returns the gradient of query, `[sequences, hidden]`, and the gradient of key and value,
/// `[tokens, 2 · hidden]`. `gradient` is the gradient of the output, `[sequences, hidden]`. Sets `bias`.
pub(super) fn backward_first_token(
    cpu: Cpu,
    saved: SavedForBackward<'_>,
    gradient: &[f32],
    heads: &Heads,
    bias: Option<&DiagonalSums>,
) -> (Vec<f32>, Vec<f32>) {
    let mut query = heads.output_buffer(heads.num_queries() * heads.hidden());
    let mut key_value = heads.output_buffer(heads.layout.num_tokens() * 2 * heads.hidden());
    let [query_output] = HeadOutput::column_blocks(query.as_uninit_mut(), heads, heads.width);
    let [key, value] = HeadOutput::column_blocks(key_value.as_uninit_mut(), heads, heads.width);
    let to = GradientOutputs { query: query_output, key, value, bias };
    heads.for_each(|task| cpu.with_narrow_tile(Backward { saved, gradient, heads, task, to }));
    // SAFETY: every element is initialized. `Heads::for_each` runs one task for each head of each sequence.
    // The task writes the columns of its head in the only query row of its sequence. It also writes them in
    // the key and value blocks of all rows of its sequence. In a padded layout the other rows are padding,
    // which `output_buffer` has filled with zeros.
    unsafe { (query.assume_init(), key_value.assume_init()) }
}

#[derive(Default)]
struct Scratch {
    keys: PackedOperand,
    values: PackedOperand,
    transposed_keys: PackedOperand,
    queries: PackedOperand,
    gradients: PackedOperand,
    by_key: PackedOperand,
    by_query: PackedOperand,
    probabilities: AlignedBuffer,
    dscores: AlignedBuffer,
    dq: AlignedBuffer,
    dk: AlignedBuffer,
    dv: AlignedBuffer,
    diagonals: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

struct Backward<'a> {
    saved: SavedForBackward<'a>,
    gradient: &'a [f32],
    heads: &'a Heads,
    task: HeadTask,
    to: GradientOutputs<'a>,
}

impl WithKernel for Backward<'_> {
    type Output = ();

    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, simd: S) {
        let Self { saved: SavedForBackward { inputs, .. }, heads, task, to, .. } = self;
        let mut scratch = SCRATCH.take();
        let queries = inputs.query.head(heads, task.head, task.first_query, task.queries);
        let keys = inputs.key.head(heads, task.head, task.start, task.length);
        let values = inputs.value.head(heads, task.head, task.start, task.length);
        scratch.keys.pack_left(kernel, keys);
        scratch.values.pack_left(kernel, values);
        scratch.transposed_keys.pack_left(kernel, keys.t());
        let stride = heads.width.next_multiple_of(K::NR);
        let len = task.length.next_multiple_of(K::MR) * stride;
        if heads.has_window() {
            // Several tiles add to a part of these rows, and no tile adds to all of them.
            scratch.dk.floats_mut(len).fill(0.0);
            scratch.dv.floats_mut(len).fill(0.0);
        }
        if to.bias.is_some() {
            scratch.diagonals = DiagonalSums::zeros(task);
        }
        let gradients = Projection::column_block(self.gradient, 0, 1, heads);
        let gradients = gradients.head(heads, task.head, task.first_query, task.queries);
        for first in (0..task.queries).step_by(K::NR) {
            let count = K::NR.min(task.queries - first);
            let (queries, gradients) = (queries.rows(first, count), gradients.rows(first, count));
            self.tile(kernel, simd, &mut scratch, queries, gradients, first);
            let dq = scratch.dq.floats(heads.width * K::NR);
            // SAFETY: rows `first_query + first..` are `count` queries of the task's sequence. Two sequences
            // share no row, because `SequenceLayout::padded_to` is at least every length. `Heads::for_each`
            // gives each sequence and head to exactly one task. So no other task accesses these rows and
            // columns.
            unsafe {
                to.query.write(task, task.first_query + first, count, |i, column| dq[column * K::NR + i])
            };
        }
        if let Some(bias) = to.bias {
            bias.set(heads, task, std::mem::take(&mut scratch.diagonals));
        }
        let [dk, dv] = [&scratch.dk, &scratch.dv].map(|d| d.floats(len));
        // SAFETY: the rows from `start` on are the `length` keys and values of the task's sequence. Two
        // sequences share no row, because `SequenceLayout::padded_to` is at least every length.
        // `Heads::for_each` gives each sequence and head to exactly one task. So no other task accesses these
        // rows and columns.
        unsafe {
            to.key.write(task, task.start, task.length, |i, column| dk[i * stride + column]);
            to.value.write(task, task.start, task.length, |i, column| dv[i * stride + column]);
        }
        SCRATCH.set(scratch);
    }
}

impl Backward<'_> {
    /// Processes one tile of queries: adds to dK, dV and the gradient of the bias, and computes dQᵀ, `[width, NR]`.
    fn tile<K: Kernel, S: Simd>(
        &self,
        kernel: K,
        simd: S,
        scratch: &mut Scratch,
        queries: Matrix<'_>,
        gradients: Matrix<'_>,
        first: usize,
    ) {
        let (heads, task, count) = (self.heads, self.task, queries.rows);
        let keys = heads.keys(task, first, count, K::MR);
        scratch.queries.pack_right(kernel, queries);
        scratch.gradients.pack_right(kernel, gradients);
        let len = keys.len().next_multiple_of(K::MR) * K::NR;
        let [probabilities, dscores] =
            [&mut scratch.probabilities, &mut scratch.dscores].map(|scores| scores.floats_mut(len));
        let bias = self.saved.inputs.bias;
        let has_bias = RelativeBias::copy_to(bias, probabilities, task, keys.clone(), first, K::NR);
        multiply(kernel, scratch.keys.rows::<K>(&keys), scratch.queries.all(), has_bias, probabilities); // [keys, NR]
        multiply(kernel, scratch.values.rows::<K>(&keys), scratch.gradients.all(), false, dscores); // [keys, NR]
        let [probabilities, dscores] =
            [probabilities, dscores].map(|scores| &mut scores[..keys.len() * K::NR]);
        heads.mask_window(probabilities, keys.clone(), first, K::NR);
        let first_key = keys.start;
        simd.vectorize(ScoreGradients {
            of: self,
            probabilities,
            dscores,
            first,
            first_key,
            count,
            queries: K::NR,
        });
        if self.to.bias.is_some() {
            let (sums, keys) = (&mut scratch.diagonals[..], keys.clone());
            simd.vectorize(AddDiagonals { sums, dscores, task, keys, first, queries: K::NR });
        }
        let by_key = |matrix| Matrix::strided(matrix, keys.len(), count, K::NR); // [keys, queries]
        let stride = heads.width.next_multiple_of(K::NR);
        let rows = keys.start * stride..(keys.start + keys.len().next_multiple_of(K::MR)) * stride;
        let accumulate = first > 0 || heads.has_window();
        scratch.by_key.pack_left(kernel, by_key(probabilities));
        scratch.by_query.pack_right(kernel, gradients.t());
        let dv = &mut scratch.dv.floats_mut(rows.end)[rows.clone()];
        multiply(kernel, scratch.by_key.all(), scratch.by_query.all(), accumulate, dv); // [keys, width]
        scratch.by_key.pack_left(kernel, by_key(dscores));
        scratch.by_query.pack_right(kernel, queries.t());
        let dk = &mut scratch.dk.floats_mut(rows.end)[rows];
        multiply(kernel, scratch.by_key.all(), scratch.by_query.all(), accumulate, dk); // [keys, width]
        scratch.by_query.pack_right(kernel, Matrix::new(dscores, keys.len(), K::NR).t());
        let dq = scratch.dq.floats_mut(heads.width.next_multiple_of(K::MR) * K::NR);
        let transposed_keys = scratch.transposed_keys.columns::<K>(&keys);
        multiply(kernel, transposed_keys, scratch.by_query.all(), false, dq); // [width, NR]
    }
}

/// Replaces scores by P̃ and dO·Vᵀ by dS, all `[keys, queries]`.
struct ScoreGradients<'a> {
    of: &'a Backward<'a>,
    probabilities: &'a mut [f32],
    dscores: &'a mut [f32],
    first: usize,
    first_key: usize,
    count: usize,
    queries: usize,
}

impl WithSimd for ScoreGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward { heads, task, saved, .. } = *self.of;
        let mut log_sum_exp = [f32::MAX; MAX_QUERIES]; // P = 0 for the lanes after the last query
        for (i, log_sum) in log_sum_exp.iter_mut().enumerate().take(self.count) {
            let row = task.first_query + self.first + i;
            *log_sum = saved.log_sum_exp[row * heads.num_heads + task.head];
        }
        let mut dropout_keys = [0u32; MAX_QUERIES];
        heads.dropout_keys(task, self.first, &mut dropout_keys[..self.queries]);
        let generator = heads.rate().map(|rate| MaskGenerator::new(simd, rate));
        for lane in (0..self.queries).step_by(S::F32_LANES) {
            let rows = simd.partial_load_u32s(&dropout_keys[lane..lane + S::U32_LANES]);
            let column = QueryVector {
                stride: self.queries,
                lane,
                first_key: self.first_key,
                scale: simd.splat_f32s(heads.scale()),
                log_sum: load(simd, &log_sum_exp, lane),
                mask: generator.map(|generator| (generator, rows)),
            };
            let dots = column.probabilities(simd, self.probabilities, self.dscores);
            column.dscores(simd, self.probabilities, self.dscores, dots, heads.kept_scale());
        }
    }
}

pub(crate) struct QueryVector<S: Simd> {
    pub(crate) stride: usize,
    pub(crate) lane: usize,
    pub(crate) first_key: usize,
    pub(crate) scale: S::f32s,
    pub(crate) log_sum: S::f32s,
    pub(crate) mask: Option<(MaskGenerator<S>, S::u32s)>,
}

impl<S: Simd> QueryVector<S> {
    /// Replaces scores by P, with a negative sign where dropout drops it, and dO·Vᵀ by dP. Returns D.
    #[inline(always)]
    pub(crate) fn probabilities(&self, simd: S, scores: &mut [f32], dp: &mut [f32]) -> S::f32s {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let mut dots = zero;
        let rows = scores.chunks_exact_mut(self.stride).zip(dp.chunks_exact_mut(self.stride));
        for ((scores, dp), key) in rows.zip(self.first_key..) {
            let score = simd.mul_f32s(load(simd, scores, self.lane), self.scale);
            let p = exp(simd, simd.sub_f32s(score, self.log_sum));
            let mask = match self.mask {
                Some((generator, rows)) => generator.down_column(rows, key),
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

    /// Replaces P by P̃, which is 0 if dropped and scaled by 1/(1 − rate) otherwise, and dP by dS.
    #[inline(always)]
    pub(crate) fn dscores(
        &self,
        simd: S,
        probabilities: &mut [f32],
        dp: &mut [f32],
        dots: S::f32s,
        kept_scale: f32,
    ) {
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
