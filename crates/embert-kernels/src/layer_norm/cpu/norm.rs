//! What both passes over the rows know: γ, β, ε and the mask, and which rows a task has.

use crate::dropout::cpu::ROWS_PER_TASK;
use crate::dropout::mask::Mask;

/// γ, β, ε, and the mask of `x`.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) epsilon: f32,
    pub(super) mask: Option<&'a Mask>,
}

impl<'a> Norm<'a> {
    /// The keys of the rows of one task, and the rate.
    pub(super) fn keys_of(self, task: usize) -> Option<(&'a [u32], f64)> {
        self.mask.map(|mask| (chunk(&mask.keys, task, ROWS_PER_TASK), mask.rate))
    }
}

/// Chunk number `index` of chunks of `size`; the last may be shorter.
pub(super) fn chunk<T>(values: &[T], index: usize, size: usize) -> &[T] {
    &values[index * size..values.len().min((index + 1) * size)]
}
