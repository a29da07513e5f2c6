//! The relative position bias of attention, and its gradient: the sums of dS along diagonals.
//!
//! In a tile of scores, `[keys, queries]`, the biases of one key are consecutive numbers, because its queries are. So a
//! row begins as a copy of a part of the bias, and the product of key and query is added to it. In the backward pass, a
//! row of dS is added to the same part of the sums.

use std::ops::Range;
use std::sync::OnceLock;

use pulp::{Simd, WithSimd};

use super::heads::{HeadTask, Heads};
use super::packed_operand::MAX_QUERIES;

/// The bias of each head and distance i − j, in units of QKᵀ.
pub(crate) struct RelativeBias {
    /// Row h has the biases of head h in ascending order of the distance, and then zeros for the lanes after the last
    /// query.
    rows: Vec<f32>,
    stride: usize,
    longest: usize,
}

impl RelativeBias {
    /// Copies `[2 · longest − 1, num_heads]`.
    pub(super) fn new(bias: &[f32], heads: &Heads) -> Self {
        let (num_heads, longest) = (heads.num_heads, heads.layout.longest());
        let stride = 2 * longest + MAX_QUERIES;
        let mut rows = vec![0.0; num_heads * stride];
        for (distance, biases) in bias.chunks_exact(num_heads).enumerate() {
            for (head, bias) in biases.iter().enumerate() {
                rows[head * stride + distance] = bias / heads.scale();
            }
        }
        Self { rows, stride, longest }
    }

    /// Replaces scores, `[keys, queries]`, by their biases, with the queries from `first` on. Returns false if there is
    /// no bias.
    pub(super) fn copy_to(
        bias: Option<&Self>,
        scores: &mut [f32],
        task: HeadTask,
        keys: Range<usize>,
        first: usize,
        queries: usize,
    ) -> bool {
        let Some(bias) = bias else { return false };
        let of_head = &bias.rows[task.head * bias.stride..][..bias.stride];
        for (row, key) in scores.chunks_exact_mut(queries).zip(keys) {
            row.copy_from_slice(&of_head[first + bias.longest - 1 - key..][..queries]);
        }
        true
    }
}

/// The sums of dS along the diagonals, for each head of each sequence.
pub(super) struct DiagonalSums(Vec<OnceLock<Vec<f32>>>);

impl DiagonalSums {
    pub(super) fn new(heads: &Heads) -> Self {
        Self(
            std::iter::repeat_with(OnceLock::new).take(heads.layout.batch_size() * heads.num_heads).collect(),
        )
    }

    /// Returns zeros for the sums of one head of a sequence: one for each distance, and some for the lanes after the
    /// last query.
    pub(super) fn zeros(task: HeadTask) -> Vec<f32> {
        vec![0.0; 2 * task.length + MAX_QUERIES]
    }

    pub(super) fn set(&self, heads: &Heads, task: HeadTask, sums: Vec<f32>) {
        let set = self.0[task.sequence * heads.num_heads + task.head].set(sums);
        assert!(set.is_ok(), "each head of each sequence is one task");
    }

    /// Returns the gradient of the bias, `[2 · longest − 1, num_heads]`. The sequences are added in their order.
    pub(super) fn gradient(self, heads: &Heads) -> Vec<f32> {
        let (num_heads, longest) = (heads.num_heads, heads.layout.longest());
        let mut gradient = vec![0.0; (2 * longest).saturating_sub(1) * num_heads];
        for (task, sums) in self.0.iter().enumerate() {
            let (length, head) = (heads.layout.lengths[task / num_heads], task % num_heads);
            let rows = gradient.chunks_exact_mut(num_heads).skip(longest - length);
            let sums = sums.get().into_iter().flatten().take((2 * length).saturating_sub(1));
            rows.zip(sums).for_each(|(row, sum)| row[head] += sum / heads.scale());
        }
        gradient
    }
}

/// Adds dS, `[keys, queries]`, to the sums of its diagonals, with the queries from `first` on.
pub(super) struct AddDiagonals<'a> {
    pub(super) sums: &'a mut [f32],
    pub(super) dscores: &'a [f32],
    pub(super) task: HeadTask,
    pub(super) keys: Range<usize>,
    pub(super) first: usize,
    pub(super) queries: usize,
}

impl WithSimd for AddDiagonals<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { sums, dscores, task, keys, first, queries } = self;
        for (row, key) in dscores.chunks_exact(queries).zip(keys) {
            let sums = &mut sums[first + task.length - 1 - key..][..queries];
            sums.iter_mut().zip(row).for_each(|(sum, ds)| *sum += ds);
        }
    }
}
