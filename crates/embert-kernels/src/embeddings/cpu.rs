//! Embeddings on the CPU: y = word[id] + position[first_position + p] + token_type[t].
//!
//! The backward pass adds each token's gradient to its rows of the tables, in the order of the tokens.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{Int, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::autodiff::custom_op;
use crate::cpu::output_buffer::{OutputBuffer, Writer};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::cpu::vectors::{add_assign, load};
use crate::layout::SequenceLayout;

/// The number of rows in one task.
const ROWS_PER_TASK: usize = 64;
/// The number of rows of a gradient table in one task.
const TABLE_ROWS_PER_TASK: usize = 1024;

pub(super) fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    first_position: usize,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    let ids: Arc<[u32]> = input_ids.into_data().iter::<i64>().map(|id| id as u32).collect();
    let positions: Arc<[u32]> =
        layout.positions().map(|position| (first_position + position) as u32).collect();
    let types = layout.token_types().filter(|_| token_type.is_some());
    let types: Option<Arc<[u32]>> = types.map(|types| types.map(|token_type| token_type as u32).collect());
    let token_type = token_type.unwrap_or_else(|| Tensor::zeros([1, word.dims()[1]], &word.device()));
    let tables = [word, position, token_type].map(Tensor::into_dispatch);
    custom_op::<Flex, 3, 2, _>(tables, |tables, _| {
        let cpu = Cpu::fp32();
        let y = forward(cpu, Rows { ids: &ids, positions: &positions, types: types.as_deref() }, &tables);
        let rows = tables.map(|table| table.shape().dims::<2>()[0]);
        let backward_fn = move |g: FlexTensor, needed: [bool; 3]| {
            let types = types.clone().unwrap_or_else(|| std::iter::repeat_n(0, ids.len()).collect());
            let of = |table: usize, tokens: &[u32]| {
                needed[table].then(|| table_gradient(cpu, as_slice(&g), tokens, rows[table]))
            };
            [of(0, &ids), of(1, &positions), of(2, &types)]
        };
        (y, backward_fn)
    })
}

/// The row of each table for each token, `[tokens]`. Without `types`, every token has type 0.
#[derive(Clone, Copy)]
struct Rows<'a> {
    ids: &'a [u32],
    positions: &'a [u32],
    types: Option<&'a [u32]>,
}

impl Rows<'_> {
    /// Returns the rows of the tokens of a task.
    fn of_task(self, task: usize) -> Self {
        let start = task * ROWS_PER_TASK;
        let end = (start + ROWS_PER_TASK).min(self.ids.len());
        let (ids, positions) = (&self.ids[start..end], &self.positions[start..end]);
        Self { ids, positions, types: self.types.map(|types| &types[start..end]) }
    }
}

/// Returns the sums of the word, position and token type embeddings, `[tokens, hidden]`.
fn forward(cpu: Cpu, rows: Rows<'_>, tables: &[FlexTensor; 3]) -> FlexTensor {
    let [_, hidden] = tables[0].shape().dims();
    let [word, position, token_type] = tables.each_ref().map(as_slice);
    let mut y = OutputBuffer::new(rows.ids.len() * hidden);
    y.writers(ROWS_PER_TASK * hidden).into_par_iter().enumerate().for_each(|(task, y)| {
        cpu.vectorize(Forward { y, rows: rows.of_task(task), word, position, token_type, hidden });
    });
    from_vec(y.into_vec(), [rows.ids.len(), hidden])
}

struct Forward<'a> {
    y: Writer<'a>,
    rows: Rows<'a>,
    word: &'a [f32],
    position: &'a [f32],
    token_type: &'a [f32],
    hidden: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Rows { ids, positions, types } = self.rows;
        let table_row = |table, row| table_row(table, row, self.hidden);
        for (token, (&id, &position)) in ids.iter().zip(positions).enumerate() {
            let (word, position) = (table_row(self.word, id), table_row(self.position, position));
            let token_type = table_row(self.token_type, types.map_or(0, |types| types[token]));
            self.y.row(simd, self.hidden, |offset| {
                let sum = simd.add_f32s(load(simd, word, offset), load(simd, position, offset));
                simd.add_f32s(sum, load(simd, token_type, offset))
            });
        }
    }
}

/// Returns the gradient of a table, `[table_rows, hidden]`. Token i has read row `rows[i]`.
fn table_gradient(cpu: Cpu, gradient: &[f32], rows: &[u32], table_rows: usize) -> FlexTensor {
    let hidden = gradient.len() / rows.len();
    let mut order = (0..rows.len()).collect::<Vec<_>>();
    order.sort_by_key(|&token| rows[token]); // stable: tokens of one row keep their order
    let mut table = OutputBuffer::new(table_rows * hidden);
    let tasks = table.writers(TABLE_ROWS_PER_TASK * hidden).into_par_iter().enumerate();
    tasks.for_each(|(task, table)| {
        let first = (task * TABLE_ROWS_PER_TASK) as u32;
        let before = |row: u32| order.partition_point(|&token| rows[token] < row);
        let tokens = &order[before(first)..before(first + TABLE_ROWS_PER_TASK as u32)];
        cpu.vectorize(Scatter { table, gradient, tokens, rows, first, hidden });
    });
    from_vec(table.into_vec(), [table_rows, hidden])
}

struct Scatter<'a> {
    table: Writer<'a>,
    gradient: &'a [f32],
    tokens: &'a [usize],
    rows: &'a [u32],
    first: u32,
    hidden: usize,
}

impl WithSimd for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let table = self.table.zeros();
        for &token in self.tokens {
            let row = (self.rows[token] - self.first) as usize;
            let (to, from) = (&mut table[row * self.hidden..][..self.hidden], token * self.hidden);
            for offset in (0..self.hidden).step_by(S::F32_LANES) {
                add_assign(simd, to, offset, load(simd, &self.gradient[from..from + self.hidden], offset));
            }
        }
    }
}

fn table_row(table: &[f32], row: u32, hidden: usize) -> &[f32] {
    &table[row as usize * hidden..][..hidden]
}
