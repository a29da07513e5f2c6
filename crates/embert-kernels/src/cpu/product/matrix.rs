//! Matrices in memory: element (i, j) lies at `i · row_stride + j · column_stride`.

use std::marker::PhantomData;
use std::ops::Range;

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

/// A matrix to write, `[rows, columns]`, its rows contiguous. Threads write disjoint parts of it.
#[derive(Clone, Copy)]
pub(crate) struct MatrixMut<'a> {
    start: *mut f32,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: a `Matrix` is a shared slice. A `MatrixMut` is handed to threads only to write disjoint elements.
unsafe impl Send for Matrix<'_> {}
unsafe impl Sync for Matrix<'_> {}
unsafe impl Send for MatrixMut<'_> {}
unsafe impl Sync for MatrixMut<'_> {}

impl<'a> Matrix<'a> {
    /// The first `columns` of each of `rows` rows that lie `row_stride` apart.
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

    /// Where element (row, column) lies.
    pub(crate) fn at(&self, row: usize, column: usize) -> *const f32 {
        debug_assert!(row < self.rows && column < self.columns);
        self.start.wrapping_add(row * self.row_stride + column * self.column_stride)
    }
}

impl<'a> MatrixMut<'a> {
    /// The first `columns` of each of `rows` rows that lie `row_stride` apart.
    pub(crate) fn strided(data: &'a mut [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(covers(data.len(), rows, columns, row_stride), "a matrix larger than its memory");
        Self { start: data.as_mut_ptr(), rows, columns, row_stride, borrowed: PhantomData }
    }

    /// Rows one after another.
    pub(crate) fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// The rows and columns of these ranges: the same memory.
    pub(crate) fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        debug_assert!(rows.end <= self.rows && columns.end <= self.columns);
        let start = self.start.wrapping_add(rows.start * self.row_stride + columns.start);
        Self { start, rows: rows.len(), columns: columns.len(), ..self }
    }

    /// Where element (row, column) lies.
    pub(crate) fn at(&self, row: usize, column: usize) -> *mut f32 {
        debug_assert!(row < self.rows && column < self.columns);
        self.start.wrapping_add(row * self.row_stride + column)
    }
}

fn covers(len: usize, rows: usize, columns: usize, row_stride: usize) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + columns <= len
}
