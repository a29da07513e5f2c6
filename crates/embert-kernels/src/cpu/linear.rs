//! y = xW + b; dx = g·Wᵀ, dW = xᵀ·g, db = Σ g over the rows.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::memory::{floats, sum_in_order, tensor, unwritten};
use super::packed_weights::multiply_by_weights;
use super::product::{Kernel, Matrix, MatrixMut, Packed, Part, multiply};
use super::simd::{Cpu, WithKernel};
use super::vectors::{add, load};

/// A times the parts' B, which are not weights, on all threads of the pool.
pub(crate) fn products(cpu: Cpu, a: Matrix<'_>, parts: &[Part<'_>]) {
    struct Products<'a>(Matrix<'a>, &'a [Part<'a>]);
    impl WithKernel for Products<'_> {
        type Output = ();
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) {
            multiply(kernel, self.0, self.1, rayon::current_num_threads(), Packed::Scratch);
        }
    }
    cpu.wide(Products(a, parts));
}

/// The same for B that are `weights`.
pub(crate) fn products_by_weights(cpu: Cpu, a: Matrix<'_>, parts: &[Part<'_>], weights: &[&FlexTensor]) {
    struct Products<'a>(Matrix<'a>, &'a [Part<'a>], &'a [&'a FlexTensor]);
    impl WithKernel for Products<'_> {
        type Output = ();
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) {
            multiply_by_weights(kernel, self.0, self.1, self.2, rayon::current_num_threads());
        }
    }
    cpu.wide(Products(a, parts, weights));
}

/// A tensor `[rows, columns]` as a matrix.
pub(crate) fn matrix(tensor: &FlexTensor) -> Matrix<'_> {
    let [rows, columns] = tensor.shape().dims();
    Matrix::new(floats(tensor), rows, columns)
}

/// y = xW + b, `[rows, out]`.
pub(crate) fn forward(
    cpu: Cpu,
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
) -> FlexTensor {
    let ([rows, _], [_, columns]) = (x.shape().dims(), weight.shape().dims());
    let mut y = unwritten(rows * columns);
    let c = MatrixMut::new(&mut y, rows, columns);
    let part = Part { b: &[matrix(weight)], c, bias: bias.map(floats) };
    products_by_weights(cpu, matrix(x), &[part], &[weight]);
    tensor(y, [rows, columns])
}

/// g·Wᵀ, `[rows, in]`.
pub(crate) fn input_gradient(cpu: Cpu, g: Matrix<'_>, weight: &FlexTensor) -> Vec<f32> {
    let [input, _] = weight.shape().dims();
    let mut dx = unwritten(g.rows * input);
    let c = MatrixMut::new(&mut dx, g.rows, input);
    products_by_weights(cpu, g, &[Part { b: &[matrix(weight).t()], c, bias: None }], &[weight]);
    dx
}

/// xᵀ·g, `[in, out]`.
pub(crate) fn weight_gradient(cpu: Cpu, x: Matrix<'_>, g: Matrix<'_>) -> FlexTensor {
    let mut dw = unwritten(x.columns * g.columns);
    let c = MatrixMut::new(&mut dw, x.columns, g.columns);
    products(cpu, x.t(), &[Part { b: &[g], c, bias: None }]);
    tensor(dw, [x.columns, g.columns])
}

/// Rows whose sum is one part of a sum over all rows: it fixes the order of addition.
const ROWS_PER_PART: usize = 128;

/// Σ g over the rows, `[columns]`.
pub(crate) fn column_sums(cpu: Cpu, g: &[f32], columns: usize) -> Vec<f32> {
    struct Sums<'a>(&'a [f32], usize);
    impl WithSimd for Sums<'_> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut sums = vec![0.0; self.1];
            for row in self.0.chunks_exact(self.1) {
                for at in (0..self.1).step_by(S::F32_LANES) {
                    add(simd, &mut sums, at, load(simd, row, at));
                }
            }
            sums
        }
    }
    let parts = g.par_chunks(columns * ROWS_PER_PART).map(|rows| cpu.vectors(Sums(rows, columns)));
    sum_in_order(parts.collect())
}
