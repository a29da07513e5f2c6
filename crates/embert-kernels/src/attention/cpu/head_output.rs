//! An output matrix in which each task writes the columns of its head.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::heads::{HeadTask, Heads};

/// A column block of a matrix, in which each task writes the columns of its head. The rows are `stride`
/// numbers apart.
#[derive(Clone, Copy)]
pub(crate) struct HeadOutput<'a> {
    start: *mut f32,
    len: usize,
    stride: usize,
    /// The number of columns of a head.
    width: usize,
    borrowed: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

// SAFETY: a `HeadOutput` acts like the `&mut [MaybeUninit<f32>]` that it borrows, which is `Send`. Copies
// share the memory, but they access it only in `write`. The caller of `write` guarantees that no two tasks
// write the same element.
unsafe impl Send for HeadOutput<'_> {}
// SAFETY: a shared `HeadOutput` offers nothing but copies, so the argument for `Send` applies.
unsafe impl Sync for HeadOutput<'_> {}

impl<'a> HeadOutput<'a> {
    /// Divides the columns of `slots` into N blocks of `num_heads · width` columns each.
    pub(crate) fn column_blocks<const N: usize>(
        slots: &'a mut [MaybeUninit<f32>],
        heads: &Heads,
        width: usize,
    ) -> [Self; N] {
        let hidden = heads.num_heads * width;
        let start = slots.as_mut_ptr().cast::<f32>();
        std::array::from_fn(|block| Self {
            start: start.wrapping_add(block * hidden),
            len: slots.len().saturating_sub(block * hidden),
            stride: N * hidden,
            width,
            borrowed: PhantomData,
        })
    }

    /// Writes `value(i, column)` to row `first + i` and column `column` of the task's head, for `count` rows.
    ///
    /// # Panics
    /// If a row is out of bounds.
    ///
    /// # Safety
    /// - The rows belong to the task's sequence, and to no other sequence.
    /// - No other task has the same sequence and head.
    pub(crate) unsafe fn write(
        self,
        task: HeadTask,
        first: usize,
        count: usize,
        value: impl Fn(usize, usize) -> f32,
    ) {
        let from = first * self.stride + task.head * self.width;
        assert!(
            count == 0 || from + (count - 1) * self.stride + self.width <= self.len,
            "a row is outside of the output"
        );
        for i in 0..count {
            let to = self.start.wrapping_add(from + i * self.stride);
            for column in 0..self.width {
                // SAFETY: the assertion has checked that the last element of the last row is in bounds, so
                // all elements are. `start` comes from a `&mut [MaybeUninit<f32>]` that is still borrowed, so
                // the memory is live and aligned. The caller guarantees that these rows belong only to
                // this sequence, and that no other task has this sequence and head. The columns of two heads
                // are disjoint. So no other thread accesses these elements.
                unsafe { to.add(column).write(value(i, column)) };
            }
        }
    }
}
