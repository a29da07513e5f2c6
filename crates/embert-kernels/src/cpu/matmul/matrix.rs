//! Views of matrices in memory: element (i, j) is at `i · row_stride + j · column_stride`.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// A read-only view of a matrix, `[rows, columns]`. One of its strides is 1.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    start: *const f32,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
    borrowed: PhantomData<&'a [f32]>,
}

/// A writable view of a matrix, `[rows, columns]`. Its rows are contiguous, and its memory may be
/// uninitialized.
pub(crate) struct MatrixMut<'a> {
    start: *mut f32,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    borrowed: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

// SAFETY: a `Matrix` acts like the `&[f32]` that it borrows, which is `Send`. It has no interior mutability.
unsafe impl Send for Matrix<'_> {}
// SAFETY: a `Matrix` acts like the `&[f32]` that it borrows, which is `Sync`. It has no interior mutability.
unsafe impl Sync for Matrix<'_> {}
// SAFETY: a `MatrixMut` acts like the `&mut [MaybeUninit<f32>]` that it borrows, which is `Send`. It is
// neither `Clone` nor `Copy`. `split_columns` consumes it and gives each column to one result, so two views
// never share an element.
unsafe impl Send for MatrixMut<'_> {}
// SAFETY: `&MatrixMut` gives out only raw pointers, and it neither reads nor writes. Code that dereferences
// such a pointer must prove in its own `SAFETY` comment that no other thread accesses the element.
unsafe impl Sync for MatrixMut<'_> {}

impl<'a> Matrix<'a> {
    /// Returns a view of the first `columns` elements of each of `rows` rows, which are `row_stride` apart.
    ///
    /// # Panics
    /// If the slice is too short.
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(fits(data.len(), rows, columns, row_stride), "the slice is too short for the matrix");
        let start = data.as_ptr();
        Self { start, rows, columns, row_stride, column_stride: 1, borrowed: PhantomData }
    }

    /// Returns a view of contiguous rows.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Returns the transpose, a view of the same memory.
    pub(crate) fn t(self) -> Self {
        let Self { rows, columns, row_stride, column_stride, .. } = self;
        Self { rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride, ..self }
    }

    /// Returns a view of `count` rows from row `first` on.
    pub(crate) fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.rows, "the rows are within the matrix");
        Self { start: self.start.wrapping_add(first * self.row_stride), rows: count, ..self }
    }

    /// Returns a view of `count` columns from column `first` on.
    pub(crate) fn columns(self, first: usize, count: usize) -> Self {
        self.t().rows(first, count).t()
    }

    /// Returns a pointer to element (row, column).
    pub(crate) fn ptr(&self, row: usize, column: usize) -> *const f32 {
        debug_assert!(row <= self.rows && column <= self.columns); // one past the end for empty views
        self.start.wrapping_add(row * self.row_stride + column * self.column_stride)
    }
}

impl<'a> MatrixMut<'a> {
    /// Returns a view of contiguous rows.
    pub(crate) fn new(data: &'a mut [MaybeUninit<f32>], rows: usize, columns: usize) -> Self {
        assert!(fits(data.len(), rows, columns, columns), "the slice is too short for the matrix");
        let start = data.as_mut_ptr().cast();
        Self { start, rows, columns, row_stride: columns, borrowed: PhantomData }
    }

    /// Splits the columns into `count` views of equal width.
    ///
    /// # Panics
    /// If the number of columns is not a multiple of `count`.
    pub(crate) fn split_columns(self, count: usize) -> impl Iterator<Item = Self> {
        let columns = self.columns / count;
        assert_eq!(columns * count, self.columns, "column blocks of equal width");
        (0..count).map(move |block| Self { start: self.start.wrapping_add(block * columns), columns, ..self })
    }

    /// Returns a pointer to element (row, column).
    pub(crate) fn ptr(&self, row: usize, column: usize) -> *mut f32 {
        debug_assert!(row < self.rows && column < self.columns);
        self.start.wrapping_add(row * self.row_stride + column)
    }
}

fn fits(len: usize, rows: usize, columns: usize, row_stride: usize) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + columns <= len
}
