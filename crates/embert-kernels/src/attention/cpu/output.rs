//! Memory of which each task writes the columns of its head.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::heads::{Heads, Task};

/// Rows of `stride` numbers, from the first column that counts on, in which each task writes the columns of its head.
#[derive(Clone, Copy)]
pub(super) struct Output<'a> {
    start: *mut f32,
    len: usize,
    stride: usize,
    /// Columns of a head.
    width: usize,
    borrowed: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

// SAFETY: an `Output` is written through `write` alone, whose tasks write different elements.
unsafe impl Send for Output<'_> {}
// SAFETY: as for `Send`.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    /// `parts` outputs side by side, of heads of `width` columns.
    pub(super) fn side_by_side<const N: usize>(
        slots: &'a mut [MaybeUninit<f32>],
        heads: &Heads,
        width: usize,
    ) -> [Self; N] {
        let hidden = heads.num_heads * width;
        let start = slots.as_mut_ptr().cast::<f32>();
        std::array::from_fn(|part| Self {
            start: start.wrapping_add(part * hidden),
            len: slots.len().saturating_sub(part * hidden),
            stride: N * hidden,
            width,
            borrowed: PhantomData,
        })
    }

    /// Writes `value(i, column)` to row `first + i` of the head of a task, for `count` rows.
    ///
    /// # Safety
    /// The rows are of the task's sequence, and no other task has that sequence and head.
    pub(super) unsafe fn write(
        self,
        task: Task,
        first: usize,
        count: usize,
        value: impl Fn(usize, usize) -> f32,
    ) {
        let from = first * self.stride + task.head * self.width;
        assert!(
            count == 0 || from + (count - 1) * self.stride + self.width <= self.len,
            "rows of the output"
        );
        for i in 0..count {
            let to = self.start.wrapping_add(from + i * self.stride);
            for column in 0..self.width {
                // SAFETY: the last element is inside the memory, as asserted, and only the task's thread writes these, as
                // the caller promises.
                unsafe { to.add(column).write(value(i, column)) };
            }
        }
    }
}
