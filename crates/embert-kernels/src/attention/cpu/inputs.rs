//! Query, key and value, of which a task reads the columns of its head.

use super::heads::Heads;
use crate::cpu::matmul::Matrix;

/// Query, key and value of all tokens that have them, the heads of each side by side.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) query: Rows<'a>,
    pub(super) key: Rows<'a>,
    pub(super) value: Rows<'a>,
}

/// Rows of `stride` numbers, from the first column that counts on.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Inputs<'a> {
    /// Of every token, side by side: `[tokens, 3 · hidden]`.
    pub(super) fn of_all(qkv: &'a [f32], heads: &Heads) -> Self {
        let [query, key, value] = [0, 1, 2].map(|part| Rows::part(qkv, part, 3, heads));
        Self { query, key, value }
    }

    /// Queries of first tokens `[sequences, hidden]`, keys and values of all side by side `[tokens, 2 · hidden]`.
    pub(super) fn of_first(query: &'a [f32], key_value: &'a [f32], heads: &Heads) -> Self {
        let [key, value] = [0, 1].map(|part| Rows::part(key_value, part, 2, heads));
        Self { query: Rows::part(query, 0, 1, heads), key, value }
    }
}

impl<'a> Rows<'a> {
    /// One of `parts` parts side by side.
    pub(super) fn part(values: &'a [f32], part: usize, parts: usize, heads: &Heads) -> Self {
        let hidden = heads.hidden();
        Self { values: values.get(part * hidden..).unwrap_or_default(), stride: parts * hidden }
    }

    /// The columns of one head in `count` rows, `[count, width]`.
    pub(super) fn of_head(self, heads: &Heads, head: usize, first: usize, count: usize) -> Matrix<'a> {
        Matrix::strided(
            &self.values[first * self.stride + head * heads.width..],
            count,
            heads.width,
            self.stride,
        )
    }
}
