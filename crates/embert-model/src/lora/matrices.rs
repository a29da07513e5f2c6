//! The values of A and B outside of a model, and W − s·A·B.

use nalgebra::DMatrix;

/// A `[in, r]` and B `[r, out]`, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LoraMatrices {
    pub(super) a: Vec<f32>,
    pub(super) b: Vec<f32>,
}

impl LoraMatrices {
    pub(super) fn new(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Self {
        Self { a: row_major(a), b: row_major(b) }
    }

    /// Returns W − s·A·B for W of the shape `[in, out]`, computed in f64. The result depends only on the values.
    pub(super) fn subtracted_from(&self, weight: &DMatrix<f64>, scaling: f64) -> Vec<f32> {
        let (input, output) = weight.shape();
        let rank = self.a.len() / input;
        let product = matrix(&self.a, input, rank) * matrix(&self.b, rank, output);
        row_major(&(weight - product * scaling))
    }
}

/// Returns a matrix from values in row-major order.
pub(super) fn matrix(values: &[f32], rows: usize, columns: usize) -> DMatrix<f64> {
    DMatrix::from_row_iterator(rows, columns, values.iter().map(|&value| f64::from(value)))
}

fn row_major(matrix: &DMatrix<f64>) -> Vec<f32> {
    matrix.transpose().iter().map(|&value| value as f32).collect()
}
