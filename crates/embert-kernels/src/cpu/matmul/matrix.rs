//! Matrices in memory: element (i, j) is at `i · row_stride + j · column_stride`.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// A matrix to read, `[rows, columns]`; one of its strides is 1.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    start: *const f32,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
    borrowed: PhantomData<&'a [f32]>,
}

/// A matrix to write, `[rows, columns]`, its rows contiguous; its memory may be uninitialized.
pub(crate) struct MatrixMut<'a> {
    start: *mut f32,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    borrowed: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

// SAFETY: a `Matrix` borrows a slice of numbers, which any thread may read.
unsafe impl Send for Matrix<'_> {}
// SAFETY: as for `Send`: through a shared `Matrix` nothing is written.
unsafe impl Sync for Matrix<'_> {}
// SAFETY: a `MatrixMut` is the only way to its elements: its parts are made by `split_columns`, which consumes it and
// gives each element to one part.
unsafe impl Send for MatrixMut<'_> {}
// SAFETY: a shared `MatrixMut` gives out addresses alone; whoever writes there says why no other thread does.
unsafe impl Sync for MatrixMut<'_> {}

impl<'a> Matrix<'a> {
    /// The first `columns` of each of `rows` rows, `row_stride` apart.
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(covers(data.len(), rows, columns, row_stride), "a matrix larger than its memory");
        let start = data.as_ptr();
        Self { start, rows, columns, row_stride, column_stride: 1, borrowed: PhantomData }
    }

    /// Rows one after another.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// The transpose: the same memory.
    pub(crate) fn t(self) -> Self {
        let Self { rows, columns, row_stride, column_stride, .. } = self;
        Self { rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride, ..self }
    }

    /// `count` rows from `first` on: the same memory.
    pub(crate) fn rows(self, first: usize, count: usize) -> Self {
        debug_assert!(first + count <= self.rows);
        Self { start: self.start.wrapping_add(first * self.row_stride), rows: count, ..self }
    }

    /// `count` columns from `first` on: the same memory.
    pub(crate) fn columns(self, first: usize, count: usize) -> Self {
        self.t().rows(first, count).t()
    }

    /// Returns the address of element (row, column).
    pub(crate) fn at(&self, row: usize, column: usize) -> *const f32 {
        debug_assert!(row < self.rows && column < self.columns);
        self.start.wrapping_add(row * self.row_stride + column * self.column_stride)
    }
}

impl<'a> MatrixMut<'a> {
    /// Rows one after another.
    pub(crate) fn new(data: &'a mut [MaybeUninit<f32>], rows: usize, columns: usize) -> Self {
        assert!(covers(data.len(), rows, columns, columns), "a matrix larger than its memory");
        let start = data.as_mut_ptr().cast();
        Self { start, rows, columns, row_stride: columns, borrowed: PhantomData }
    }

    /// `parts` matrices of as many columns each, side by side.
    pub(crate) fn split_columns(self, parts: usize) -> impl Iterator<Item = Self> {
        let columns = self.columns / parts;
        assert_eq!(columns * parts, self.columns, "parts of equal width");
        (0..parts).map(move |part| Self { start: self.start.wrapping_add(part * columns), columns, ..self })
    }

    /// Returns the address of element (row, column).
    pub(crate) fn at(&self, row: usize, column: usize) -> *mut f32 {
        debug_assert!(row < self.rows && column < self.columns);
        self.start.wrapping_add(row * self.row_stride + column)
    }
}

fn covers(len: usize, rows: usize, columns: usize, row_stride: usize) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + columns <= len
}
