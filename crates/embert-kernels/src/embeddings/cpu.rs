//! y = word[id] + position[p] + token_type[0]; backward adds each token's gradient to its rows, in the order of tokens.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{Int, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::autodiff::operation;
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{floats, tensor};
use crate::cpu::uninit::{Uninit, Writer};
use crate::cpu::vectors::{add, load};
use crate::layout::SequenceLayout;

/// Rows that one task takes.
const ROWS_PER_TASK: usize = 64;
/// Rows of a table whose gradient one task makes.
const TABLE_ROWS_PER_TASK: usize = 1024;

pub(super) fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    let ids: Arc<[u32]> = input_ids.into_data().iter::<i64>().map(|id| id as u32).collect();
    let positions: Arc<[u32]> = layout.positions().map(|position| position as u32).collect();
    let token_type = token_type.unwrap_or_else(|| Tensor::zeros([1, word.dims()[1]], &word.device()));
    let tables = [word, position, token_type].map(Tensor::into_dispatch);
    operation::<Flex, 3, 2, _>(tables, |tables, _| {
        let cpu = Cpu::fp32();
        let y = forward(cpu, &ids, &positions, &tables);
        let rows = tables.map(|table| table.shape().dims::<2>()[0]);
        let derivative = move |g: FlexTensor, needed: [bool; 3]| {
            let first = vec![0; ids.len()]; // every token is of the first type
            let of = |table: usize, tokens: &[u32]| {
                needed[table].then(|| table_gradient(cpu, floats(&g), tokens, rows[table]))
            };
            [of(0, &ids), of(1, &positions), of(2, &first)]
        };
        (y, derivative)
    })
}

/// The sums of the rows of words, positions and the first token type, `[tokens, hidden]`.
fn forward(cpu: Cpu, ids: &[u32], positions: &[u32], tables: &[FlexTensor; 3]) -> FlexTensor {
    let [_, hidden] = tables[0].shape().dims();
    let [word, position, token_type] = tables.each_ref().map(floats);
    let mut y = Uninit::new(ids.len() * hidden);
    let tokens = ids.par_chunks(ROWS_PER_TASK).zip(positions.par_chunks(ROWS_PER_TASK));
    y.writers(ROWS_PER_TASK * hidden).into_par_iter().zip(tokens).for_each(|(y, (ids, positions))| {
        let first = &token_type[..hidden];
        cpu.vectors(Sums { y, ids, positions, word, position, first });
    });
    tensor(y.finish(), [ids.len(), hidden])
}

struct Sums<'a> {
    y: Writer<'a>,
    ids: &'a [u32],
    positions: &'a [u32],
    word: &'a [f32],
    position: &'a [f32],
    first: &'a [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let hidden = self.first.len();
        let row_of = |table, row| row_of(table, row, hidden);
        for (&id, &position) in self.ids.iter().zip(self.positions) {
            let (word, position) = (row_of(self.word, id), row_of(self.position, position));
            self.y.row(simd, hidden, |at| {
                let sum = simd.add_f32s(load(simd, word, at), load(simd, position, at));
                simd.add_f32s(sum, load(simd, self.first, at))
            });
        }
    }
}

/// The gradient of a table of which token i read row `rows[i]`, `[table_rows, hidden]`.
fn table_gradient(cpu: Cpu, gradient: &[f32], rows: &[u32], table_rows: usize) -> FlexTensor {
    let hidden = gradient.len() / rows.len();
    let mut order = (0..rows.len()).collect::<Vec<_>>();
    order.sort_by_key(|&token| rows[token]); // stable: tokens of one row stay in their order
    let mut table = Uninit::new(table_rows * hidden);
    let tasks = table.writers(TABLE_ROWS_PER_TASK * hidden).into_par_iter().enumerate();
    tasks.for_each(|(task, table)| {
        let first = (task * TABLE_ROWS_PER_TASK) as u32;
        let before = |row: u32| order.partition_point(|&token| rows[token] < row);
        let tokens = &order[before(first)..before(first + TABLE_ROWS_PER_TASK as u32)];
        cpu.vectors(Scatter { table, gradient, tokens, rows, first, hidden });
    });
    tensor(table.finish(), [table_rows, hidden])
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
            for at in (0..self.hidden).step_by(S::F32_LANES) {
                add(simd, to, at, load(simd, &self.gradient[from..from + self.hidden], at));
            }
        }
    }
}

fn row_of(table: &[f32], row: u32, hidden: usize) -> &[f32] {
    &table[row as usize * hidden..][..hidden]
}
