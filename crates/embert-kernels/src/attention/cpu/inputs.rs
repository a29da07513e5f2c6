//! Views of query, key, value and bias, from which a task reads the columns of its head.

use super::heads::Heads;
use super::relative_bias::RelativeBias;
use crate::cpu::matmul::Matrix;

/// The query, key and value projections of a batch, and the relative position bias.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) query: Projection<'a>,
    pub(crate) key: Projection<'a>,
    pub(crate) value: Projection<'a>,
    pub(crate) bias: Option<&'a RelativeBias>,
}

/// One projection, `[rows, hidden]`, as a block of columns in a wider matrix.
#[derive(Clone, Copy)]
pub(crate) struct Projection<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Inputs<'a> {
    /// Returns views of `[tokens, 3 · hidden]`.
    pub(crate) fn all_tokens(qkv: &'a [f32], heads: &Heads) -> Self {
        let [query, key, value] = [0, 1, 2].map(|block| Projection::column_block(qkv, block, 3, heads));
        Self { query, key, value, bias: None }
    }

    /// Returns views of the queries of first tokens, `[sequences, hidden]`, and of all keys and values,
    /// `[tokens, 2 · hidden]`.
    pub(crate) fn first_tokens(query: &'a [f32], key_value: &'a [f32], heads: &Heads) -> Self {
        let [key, value] = [0, 1].map(|block| Projection::column_block(key_value, block, 2, heads));
        Self { query: Projection::column_block(query, 0, 1, heads), key, value, bias: None }
    }
}

impl<'a> Projection<'a> {
    /// Returns column block `block` of a matrix with `blocks` blocks of `hidden` columns.
    pub(crate) fn column_block(values: &'a [f32], block: usize, blocks: usize, heads: &Heads) -> Self {
        let hidden = heads.hidden();
        Self { values: values.get(block * hidden..).unwrap_or_default(), stride: blocks * hidden }
    }

    /// Returns the columns of one head in `count` rows, `[count, width]`.
    pub(crate) fn head(self, heads: &Heads, head: usize, first: usize, count: usize) -> Matrix<'a> {
        Matrix::strided(
            &self.values[first * self.stride + head * heads.width..],
            count,
            heads.width,
            self.stride,
        )
    }
}
