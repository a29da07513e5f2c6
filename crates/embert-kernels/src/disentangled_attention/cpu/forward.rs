//! The forward pass of disentangled attention: O, and the log-sum-exp of the scores for each query and head.

use std::cell::RefCell;

use pulp::Simd;

use super::batch::{Batch, QueryTile};
use super::content_to_position::ContentToPosition;
use super::position_to_content::PositionToContent;
use super::projection_gradients::product_len;
use super::softmax::Softmax;
use crate::attention::cpu::head_output::HeadOutput;
use crate::attention::cpu::heads::HeadTask;
use crate::attention::cpu::packed_operand::{PackedOperand, multiply};
use crate::cpu::AlignedBuffer;
use crate::cpu::matmul::{Kernel, Matrix};
use crate::cpu::simd::{Cpu, WithKernel};

/// Returns O, `[tokens, hidden]`, and the log-sum-exp, `[tokens, num_heads]`. Padding rows are 0.
pub(super) fn forward(cpu: Cpu, batch: &Batch<'_>) -> (Vec<f32>, Vec<f32>) {
    let heads = &batch.settings.heads;
    let mut output = heads.output_buffer(heads.num_queries() * heads.hidden());
    let mut log_sum_exp = heads.output_buffer(heads.num_queries() * heads.num_heads);
    let [to] = HeadOutput::column_blocks(output.as_uninit_mut(), heads, heads.width);
    let [sums] = HeadOutput::column_blocks(log_sum_exp.as_uninit_mut(), heads, 1);
    heads.for_each(|task| cpu.with_narrow_tile(Forward { batch, task, output: to, log_sum_exp: sums }));
    // SAFETY: every element is initialized. `Heads::for_each` runs one task for each head of each sequence.
    // The task writes the columns of its head in all rows of its sequence, in both buffers. In a packed
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
    c2p: ContentToPosition,
    p2c: PositionToContent,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

struct Forward<'a> {
    batch: &'a Batch<'a>,
    task: HeadTask,
    output: HeadOutput<'a>,
    log_sum_exp: HeadOutput<'a>,
}

impl WithKernel for Forward<'_> {
    type Output = ();

    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, simd: S) {
        let Self { batch, task, .. } = self;
        let (settings, inputs, heads) = (batch.settings, batch.inputs, &batch.settings.heads);
        let mut scratch = SCRATCH.take();
        let positions = settings.positions(task.length);
        let [queries, keys, values] = [inputs.query, inputs.key, inputs.value]
            .map(|rows| rows.head(heads, task.head, task.start, task.length));
        scratch.keys.pack_left(kernel, keys);
        scratch.values.pack_left(kernel, values.t());
        let [relative_key, relative_query] = batch.projections(task, &positions);
        if let Some(projection) = relative_key {
            scratch.c2p.begin(kernel, projection);
        }
        if let Some(projection) = relative_query {
            scratch.p2c.begin(kernel, projection, keys);
        }
        for first in (0..task.length).step_by(K::NR) {
            let tile = QueryTile { first, count: K::NR.min(task.length - first), stride: K::NR };
            scratch.queries.pack_right(kernel, queries.rows(first, tile.count));
            let scores = scratch.scores.floats_mut(product_len::<K>(task.length, K::NR));
            multiply(kernel, scratch.keys.all(), scratch.queries.all(), false, scores); // [keys, NR]
            let scores = &mut scores[..task.length * K::NR];
            if relative_key.is_some() {
                scratch.c2p.add_scores(kernel, &scratch.queries, &positions, tile, scores);
            }
            if relative_query.is_some() {
                scratch.p2c.add_scores::<K>(&positions, tile, scores);
            }
            let sums = simd.vectorize(Softmax { scores, settings, task, tile });
            scratch.probabilities.pack_right(kernel, Matrix::new(scores, task.length, K::NR).t());
            let output = scratch.output.floats_mut(product_len::<K>(heads.width, K::NR));
            multiply(kernel, scratch.values.all(), scratch.probabilities.all(), false, output); // [width, NR]
            let row = task.start + first;
            // SAFETY: rows `row..` are `tile.count` queries of the task's sequence. Two sequences share no row,
            // because `SequenceLayout::padded_to` is at least every length. `Heads::for_each` gives each
            // sequence and head to exactly one task. So no other task accesses these rows and columns.
            unsafe {
                self.output.write(task, row, tile.count, |i, column| output[column * K::NR + i] * sums[i].0);
                self.log_sum_exp.write(task, row, tile.count, |i, _| sums[i].1);
            }
        }
        SCRATCH.set(scratch);
    }
}
