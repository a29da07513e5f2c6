//! Output buffers that start uninitialized, which saves the zero fill of `vec![0.0; len]`.
//!
//! A [`Writer`] appends to one chunk of a buffer and counts the elements. Safe code cannot read an element
//! before it is written.

use std::iter::repeat_n;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use pulp::Simd;

use super::vectors::store_uninit;

/// A buffer of `f32` elements that are written before they are read.
pub(crate) struct OutputBuffer {
    slots: Box<[MaybeUninit<f32>]>,
    /// The number of elements that dropped writers have written, since the last call of `writers` or
    /// `as_uninit_mut`.
    written: AtomicUsize,
}

impl OutputBuffer {
    /// Allocates `len` elements. In tests and debug builds they start as NaN, which reveals a missing write.
    pub(crate) fn new(len: usize) -> Self {
        let mut slots = Box::new_uninit_slice(len);
        if cfg!(any(test, debug_assertions)) {
            slots.fill(MaybeUninit::new(f32::NAN));
        }
        Self { slots, written: AtomicUsize::new(0) }
    }

    /// Returns one writer for each chunk of `chunk` elements. The last chunk may be shorter.
    pub(crate) fn writers(&mut self, chunk: usize) -> Vec<Writer<'_>> {
        *self.written.get_mut() = 0;
        let writer = |slots| Writer { slots, len: 0, written: &self.written };
        self.slots.chunks_mut(chunk).map(writer).collect()
    }

    /// Returns the elements.
    ///
    /// # Panics
    /// If the writers did not fill the buffer.
    pub(crate) fn into_vec(self) -> Vec<f32> {
        assert_eq!(self.written.load(Ordering::Relaxed), self.slots.len(), "every element must be written");
        // SAFETY: every element is initialized. The writers of the last `writers` call own disjoint chunks. A
        // writer adds the number of elements that it initialized to `written`, once, in `drop`. All writers
        // are dropped or leaked, since they borrow `self` mutably. A leaked writer only makes `written`
        // smaller. So `written == len` means that the chunks are completely initialized, and that nobody has
        // called `as_uninit_mut` since.
        unsafe { self.assume_init() }
    }

    /// Returns the elements without a check.
    ///
    /// # Safety
    /// Every element must be initialized.
    pub(crate) unsafe fn assume_init(self) -> Vec<f32> {
        // SAFETY: the caller guarantees that every element is initialized.
        unsafe { self.slots.assume_init() }.into_vec()
    }

    /// Returns the memory, for code that writes through pointers. Elements that writers have written no longer
    /// count.
    pub(crate) fn as_uninit_mut(&mut self) -> &mut [MaybeUninit<f32>] {
        *self.written.get_mut() = 0;
        &mut self.slots
    }
}

/// Returns the writers of an optional buffer of `len` elements. If there is no buffer, returns `None` for
/// each chunk.
pub(crate) fn optional_writers(
    buffer: Option<&mut OutputBuffer>,
    len: usize,
    chunk: usize,
) -> Vec<Option<Writer<'_>>> {
    match buffer {
        Some(buffer) => buffer.writers(chunk).into_iter().map(Some).collect(),
        None => (0..len.div_ceil(chunk)).map(|_| None).collect(),
    }
}

/// Appends elements to one chunk of an [`OutputBuffer`].
pub(crate) struct Writer<'a> {
    slots: &'a mut [MaybeUninit<f32>],
    /// The first `len` slots are initialized.
    len: usize,
    written: &'a AtomicUsize,
}

impl Writer<'_> {
    /// Appends a row of `columns` elements and returns it. `vector(offset)` computes the elements from column
    /// `offset` on.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(
        &mut self,
        simd: S,
        columns: usize,
        mut vector: impl FnMut(usize) -> S::f32s,
    ) -> &mut [f32] {
        let row = &mut self.slots[self.len..][..columns];
        for offset in (0..columns).step_by(S::F32_LANES) {
            store_uninit(simd, row, offset, vector(offset));
        }
        self.len += columns;
        // SAFETY: every element of `row` is initialized. The loop visits the offsets 0, F32_LANES, 2 ·
        // F32_LANES, ... below `columns`. `store_uninit` initializes all elements from the offset to the next
        // one or to the end of the row.
        unsafe { row.assume_init_mut() }
    }

    /// Appends elements until the iterator or the chunk ends, and returns them.
    #[inline(always)]
    pub(crate) fn extend(&mut self, numbers: impl Iterator<Item = f32>) -> &mut [f32] {
        let rest = &mut self.slots[self.len..];
        let mut count = 0;
        for (slot, number) in rest.iter_mut().zip(numbers) {
            slot.write(number);
            count += 1;
        }
        self.len += count;
        // SAFETY: the loop has initialized the first `count` elements of `rest`.
        unsafe { rest[..count].assume_init_mut() }
    }

    /// Fills the rest of the chunk with zeros and returns it.
    pub(crate) fn zeros(&mut self) -> &mut [f32] {
        self.extend(repeat_n(0.0, self.slots.len() - self.len))
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.written.fetch_add(self.len, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_fill_a_buffer() {
        let mut buffer = OutputBuffer::new(5);
        buffer.writers(3)[0].zeros();
        let mut writers = buffer.writers(3);
        writers[0].extend([1.0, 2.0].into_iter());
        assert_eq!(writers[0].zeros(), [0.0]);
        assert_eq!(writers[1].extend([3.0, 4.0, 5.0].into_iter()), [3.0, 4.0]);
        drop(writers);
        assert_eq!(buffer.into_vec(), [1.0, 2.0, 0.0, 3.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "every element must be written")]
    fn a_missing_element_panics() {
        let mut buffer = OutputBuffer::new(5);
        buffer.writers(5)[0].extend([1.0, 2.0].into_iter());
        buffer.into_vec();
    }
}
