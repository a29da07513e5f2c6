//! The backward pass of disentangled attention. P is computed again from the log-sum-exp.
//!
//! With dP = mask∘(dO·Vᵀ), D = Σ P∘dP of a query, P̃ = mask∘P and dS = P∘(dP − D)·scale: dV = P̃ᵀ·dO, dQ = dS·K and
//! dK = dSᵀ·Q, and c2p and p2c add to dQ and dK.

use std::cell::RefCell;

use pulp::Simd;
use rayon::prelude::*;

use super::batch::{Batch, Positions, QueryTile};
use super::content_to_position::ContentToPosition;
use super::position_to_content::PositionToContent;
use super::projection_gradients::{group_tasks, product_len, sum_of_parts};
use super::softmax::ScoreGradients;
use crate::attention::cpu::head_output::HeadOutput;
use crate::attention::cpu::heads::HeadTask;
use crate::attention::cpu::inputs::Projection;
use crate::attention::cpu::packed_operand::{PackedOperand, multiply};
use crate::cpu::AlignedBuffer;
use crate::cpu::matmul::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};

/// The memory for the gradients of query, key and value.
#[derive(Clone, Copy)]
struct GradientOutputs<'a> {
    query: HeadOutput<'a>,
    key: HeadOutput<'a>,
    value: HeadOutput<'a>,
}

/// Returns the gradient of query, key and value, `[tokens, 3 · hidden]`, and of the key and the query projection of the
/// relative embeddings, `[2 · span, hidden]`, if they are needed. `gradient` is the gradient of the output,
/// `[tokens, hidden]`.
pub(super) fn backward(
    cpu: Cpu,
    batch: &Batch<'_>,
    log_sum_exp: &[f32],
    gradient: &[f32],
    needed: [bool; 2],
) -> (Vec<f32>, [Option<Vec<f32>>; 2]) {
    let heads = &batch.settings.heads;
    let mut qkv = heads.output_buffer(heads.layout.num_tokens() * 3 * heads.hidden());
    let [query, key, value] = HeadOutput::column_blocks(qkv.as_uninit_mut(), heads, heads.width);
    let to = GradientOutputs { query, key, value };
    let tasks = group_tasks(heads).into_par_iter().with_max_len(1);
    let parts =
        tasks.map(|tasks| cpu.with_narrow_tile(Backward { batch, log_sum_exp, gradient, needed, tasks, to }));
    let parts = parts.collect::<Vec<_>>();
    // SAFETY: every element is initialized. `group_tasks` has each head of each sequence exactly once. For it,
    // a task writes the columns of the head in the query, key and value blocks of all rows of the sequence. In
    // a packed layout these are all rows. In a padded layout the other rows are padding, which `output_buffer`
    // has filled with zeros.
    let qkv = unsafe { qkv.assume_init() };
    let sum = |which: usize| sum_of_parts(batch.settings, parts.iter().map(|part| part[which].as_slice()));
    (qkv, [0, 1].map(|which| needed[which].then(|| sum(which))))
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
    c2p: ContentToPosition,
    p2c: PositionToContent,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

struct Backward<'a> {
    batch: &'a Batch<'a>,
    log_sum_exp: &'a [f32],
    gradient: &'a [f32],
    needed: [bool; 2],
    /// One head of some sequences.
    tasks: Vec<HeadTask>,
    to: GradientOutputs<'a>,
}

impl WithKernel for Backward<'_> {
    /// The gradients of the key and the query projection from these sequences, `[2 · span, width]`, or nothing.
    type Output = [Vec<f32>; 2];

    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, simd: S) -> Self::Output {
        let mut scratch = SCRATCH.take();
        let len = self.batch.settings.num_positions * self.batch.settings.heads.width;
        let mut dprojections = self.needed.map(|needed| vec![0.0; if needed { len } else { 0 }]);
        for &task in &self.tasks {
            self.sequence(kernel, simd, &mut scratch, task, &mut dprojections);
        }
        SCRATCH.set(scratch);
        dprojections
    }
}

/// One head of a sequence.
#[derive(Clone, Copy)]
struct Head<'a> {
    task: HeadTask,
    positions: &'a Positions,
    queries: Matrix<'a>,
    gradients: Matrix<'a>,
}

impl Backward<'_> {
    /// Processes one head of a sequence: writes dQ, dK and dV, and adds to the gradients of the projections.
    fn sequence<K: Kernel, S: Simd>(
        &self,
        kernel: K,
        simd: S,
        scratch: &mut Scratch,
        task: HeadTask,
        [dkey, dquery]: &mut [Vec<f32>; 2],
    ) {
        let (batch, heads, inputs) = (self.batch, &self.batch.settings.heads, self.batch.inputs);
        let positions = batch.settings.positions(task.length);
        let [relative_key, relative_query] = batch.projections(task, &positions);
        let [queries, keys, values, gradients] =
            [inputs.query, inputs.key, inputs.value, Projection::column_block(self.gradient, 0, 1, heads)]
                .map(|rows| rows.head(heads, task.head, task.start, task.length));
        scratch.keys.pack_left(kernel, keys);
        scratch.values.pack_left(kernel, values);
        scratch.transposed_keys.pack_left(kernel, keys.t());
        if let Some(projection) = relative_key {
            scratch.c2p.begin_backward(kernel, projection);
        }
        if let Some(projection) = relative_query {
            scratch.p2c.begin_backward(kernel, projection, keys);
        }
        let head = Head { task, positions: &positions, queries, gradients };
        for first in (0..task.length).step_by(K::NR) {
            let tile = QueryTile { first, count: K::NR.min(task.length - first), stride: K::NR };
            self.tile(kernel, simd, scratch, head, tile);
        }
        if self.needed[0] {
            scratch.c2p.finish_projection_gradient::<K>(&positions, heads.width, dkey);
        }
        let [dk, dv] = [&mut scratch.dk, &mut scratch.dv]
            .map(|d| d.floats_mut(product_len::<K>(task.length, heads.width)));
        if let Some(projection) = relative_query {
            scratch.p2c.add_key_gradient(kernel, projection, keys, dk);
        }
        if self.needed[1] {
            scratch.p2c.add_projection_gradient(kernel, &positions, keys, dquery);
        }
        let stride = heads.width.next_multiple_of(K::NR);
        // SAFETY: the rows from `start` on are the `length` keys and values of the task's sequence. Two
        // sequences share no row, because `SequenceLayout::padded_to` is at least every length. `group_tasks`
        // has each sequence and head exactly once. So no other task accesses these rows and columns.
        unsafe {
            self.to.key.write(task, task.start, task.length, |i, column| dk[i * stride + column]);
            self.to.value.write(task, task.start, task.length, |i, column| dv[i * stride + column]);
        }
    }

    /// Processes one tile of queries: writes its rows of dQ, and adds to dK, dV and the gradients of c2p and p2c.
    fn tile<K: Kernel, S: Simd>(
        &self,
        kernel: K,
        simd: S,
        scratch: &mut Scratch,
        Head { task, positions, queries, gradients }: Head<'_>,
        tile: QueryTile,
    ) {
        let (batch, settings, keys) = (self.batch, self.batch.settings, task.length);
        let (has_c2p, has_p2c) = (batch.relative_key.is_some(), batch.relative_query.is_some());
        let [queries, gradients] = [queries, gradients].map(|rows| rows.rows(tile.first, tile.count));
        scratch.queries.pack_right(kernel, queries);
        scratch.gradients.pack_right(kernel, gradients);
        let [probabilities, dscores] = [&mut scratch.probabilities, &mut scratch.dscores]
            .map(|scores| scores.floats_mut(product_len::<K>(keys, K::NR)));
        multiply(kernel, scratch.keys.all(), scratch.queries.all(), false, probabilities); // [keys, NR]
        multiply(kernel, scratch.values.all(), scratch.gradients.all(), false, dscores); // [keys, NR]
        let [probabilities, dscores] = [probabilities, dscores].map(|scores| &mut scores[..keys * K::NR]);
        if has_c2p {
            scratch.c2p.add_scores(kernel, &scratch.queries, positions, tile, probabilities);
        }
        if has_p2c {
            scratch.p2c.add_scores::<K>(positions, tile, probabilities);
        }
        let log_sum_exp = self.log_sum_exp;
        simd.vectorize(ScoreGradients { probabilities, dscores, log_sum_exp, settings, task, tile });
        let width = settings.heads.width;
        let [dk, dv] =
            [&mut scratch.dk, &mut scratch.dv].map(|d| d.floats_mut(product_len::<K>(keys, width)));
        let dq = scratch.dq.floats_mut(product_len::<K>(width, K::NR));
        let by_key = |matrix| Matrix::strided(matrix, keys, tile.count, K::NR); // [keys, queries]
        let is_later = tile.first > 0;
        scratch.by_key.pack_left(kernel, by_key(probabilities));
        scratch.by_query.pack_right(kernel, gradients.t());
        multiply(kernel, scratch.by_key.all(), scratch.by_query.all(), is_later, dv); // [keys, width]
        scratch.by_query.pack_right(kernel, Matrix::new(dscores, keys, K::NR).t());
        multiply(kernel, scratch.transposed_keys.all(), scratch.by_query.all(), false, dq); // [width, NR]
        scratch.by_key.pack_left(kernel, by_key(dscores));
        scratch.by_query.pack_right(kernel, queries.t());
        multiply(kernel, scratch.by_key.all(), scratch.by_query.all(), is_later, dk); // [keys, width]
        if has_c2p {
            scratch.c2p.add_query_gradient(kernel, positions, tile, dscores, dq);
        }
        if self.needed[0] {
            scratch.c2p.add_projection_gradient(kernel, &scratch.by_query, positions, tile, width);
        }
        if has_p2c {
            scratch.p2c.add_gradients::<K>(positions, tile, dscores);
        }
        let row = task.start + tile.first;
        // SAFETY: rows `row..` are `tile.count` queries of the task's sequence. Two sequences share no row,
        // because `SequenceLayout::padded_to` is at least every length. `group_tasks` has each sequence and
        // head exactly once. So no other task accesses these rows and columns.
        unsafe { self.to.query.write(task, row, tile.count, |i, column| dq[column * K::NR + i]) };
    }
}
