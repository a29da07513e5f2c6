//! Output buffers whose memory starts uninitialized: `vec![0.0; len]` without its pass of zeros.
//!
//! A [`Writer`] appends to one chunk of a buffer and counts what it wrote, so no safe code can read a number that was
//! never written.

use std::iter::repeat_n;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use pulp::Simd;

use super::vectors::store_uninit;

/// Memory for numbers that are written before they are read.
pub(crate) struct Uninit {
    slots: Box<[MaybeUninit<f32>]>,
    /// Numbers written by the current writers that have been dropped.
    written: AtomicUsize,
}

impl Uninit {
    /// Memory for `len` numbers. In tests and debug builds it starts as NaN, so that a missing write is noticed.
    pub(crate) fn new(len: usize) -> Self {
        let mut slots = Box::new_uninit_slice(len);
        if cfg!(any(test, debug_assertions)) {
            slots.fill(MaybeUninit::new(f32::NAN));
        }
        Self { slots, written: AtomicUsize::new(0) }
    }

    /// Returns one writer for each `chunk` numbers; the last one may have fewer.
    pub(crate) fn writers(&mut self, chunk: usize) -> Vec<Writer<'_>> {
        *self.written.get_mut() = 0;
        let writer = |slots| Writer { slots, len: 0, written: &self.written };
        self.slots.chunks_mut(chunk).map(writer).collect()
    }

    /// Returns the numbers.
    ///
    /// # Panics
    /// If the writers did not fill the buffer.
    pub(crate) fn finish(self) -> Vec<f32> {
        assert_eq!(self.written.load(Ordering::Relaxed), self.slots.len(), "numbers written");
        // SAFETY: the writers of the last call of `writers` own disjoint chunks, and each adds to `written` only numbers
        // that it has initialized, once, when it is dropped. All of them are gone, since they borrow `self`. So a sum
        // equal to the length means that every number is initialized.
        unsafe { self.assume_init() }
    }

    /// Returns the numbers without a check.
    ///
    /// # Safety
    /// Every number has been written.
    pub(crate) unsafe fn assume_init(self) -> Vec<f32> {
        // SAFETY: the caller has written every slot.
        unsafe { self.slots.assume_init() }.into_vec()
    }

    /// The memory itself, for code that writes through pointers.
    pub(crate) fn slots(&mut self) -> &mut [MaybeUninit<f32>] {
        &mut self.slots
    }
}

/// Returns the writers of a buffer that may be absent: `None` for each of the `len` numbers' chunks then.
pub(crate) fn optional_writers(
    buffer: Option<&mut Uninit>,
    len: usize,
    chunk: usize,
) -> Vec<Option<Writer<'_>>> {
    match buffer {
        Some(buffer) => buffer.writers(chunk).into_iter().map(Some).collect(),
        None => (0..len.div_ceil(chunk)).map(|_| None).collect(),
    }
}

/// Appends numbers to a chunk of an [`Uninit`].
pub(crate) struct Writer<'a> {
    slots: &'a mut [MaybeUninit<f32>],
    /// The first `len` slots are initialized.
    len: usize,
    written: &'a AtomicUsize,
}

impl Writer<'_> {
    /// Appends `columns` numbers, of which `vector(at)` computes those from `at` on, and returns them.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(
        &mut self,
        simd: S,
        columns: usize,
        mut vector: impl FnMut(usize) -> S::f32s,
    ) -> &mut [f32] {
        let row = &mut self.slots[self.len..][..columns];
        for at in (0..columns).step_by(S::F32_LANES) {
            store_uninit(simd, row, at, vector(at));
        }
        self.len += columns;
        // SAFETY: each step of the loop has written all numbers of the row from `at` up to the next `at` or the end.
        unsafe { row.assume_init_mut() }
    }

    /// Appends numbers, as many as there is room for, and returns them.
    #[inline(always)]
    pub(crate) fn extend(&mut self, numbers: impl Iterator<Item = f32>) -> &mut [f32] {
        let rest = &mut self.slots[self.len..];
        let mut count = 0;
        for (slot, number) in rest.iter_mut().zip(numbers) {
            slot.write(number);
            count += 1;
        }
        self.len += count;
        // SAFETY: the loop has written the first `count` slots.
        unsafe { rest[..count].assume_init_mut() }
    }

    /// Fills what is left with zeros and returns it.
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
        let mut buffer = Uninit::new(5);
        buffer.writers(3)[0].zeros();
        let mut writers = buffer.writers(3);
        writers[0].extend([1.0, 2.0].into_iter());
        assert_eq!(writers[0].zeros(), [0.0]);
        assert_eq!(writers[1].extend([3.0, 4.0, 5.0].into_iter()), [3.0, 4.0]);
        drop(writers);
        assert_eq!(buffer.finish(), [1.0, 2.0, 0.0, 3.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "numbers written")]
    fn a_missing_number_is_noticed() {
        let mut buffer = Uninit::new(5);
        buffer.writers(5)[0].extend([1.0, 2.0].into_iter());
        buffer.finish();
    }
}
