//! y = xW + b; dx = g·Wᵀ, dW = xᵀ·g, db = Σ g over the rows.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::memory::{floats, sum_in_order, tensor};
use super::packed_weights::multiply_by_weights;
use super::product::{Kernel, Matrix, MatrixMut, Part};
use super::simd::{Cpu, WithKernel};
use super::uninit::Uninit;
use super::vectors::{add, load};

/// A times the parts' B on all threads of the pool. `weights` are the tensors of B if those are weights, else none.
fn products(cpu: Cpu, a: Matrix<'_>, parts: &[Part<'_>], weights: &[&FlexTensor]) {
    struct Products<'a>(Matrix<'a>, &'a [Part<'a>], &'a [&'a FlexTensor]);
    impl WithKernel for Products<'_> {
        type Output = ();
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) {
            multiply_by_weights(kernel, self.0, self.1, self.2, rayon::current_num_threads());
        }
    }
    cpu.wide(Products(a, parts, weights));
}

/// One of several maps of one input: the pieces of its weight, one below the other, and its bias.
pub(crate) struct Map<'a> {
    pub(crate) b: &'a [Matrix<'a>],
    pub(crate) bias: Option<&'a [f32]>,
}

/// \[A·B₀ + b₀, A·B₁ + b₁, …\] side by side, `[rows, maps · columns]`.
pub(crate) fn side_by_side(cpu: Cpu, a: Matrix<'_>, maps: &[Map<'_>], weights: &[&FlexTensor]) -> Vec<f32> {
    let (rows, columns) = (a.rows, maps.len() * maps[0].b[0].columns);
    let mut y = Uninit::new(rows * columns);
    let parts = maps.iter().zip(MatrixMut::new(y.slots(), rows, columns).split_columns(maps.len()));
    let parts = parts.map(|(map, c)| Part { b: map.b, c, bias: map.bias });
    products(cpu, a, &parts.collect::<Vec<_>>(), weights);
    // SAFETY: the parts have all columns, and the product has written every element of every part.
    unsafe { y.assume_init() }
}

/// Aᵀ·\[G₀ G₁ …\], `[in, out]` each, for those of equal parts G of `g` that are needed.
pub(crate) fn weight_gradients(
    cpu: Cpu,
    x: Matrix<'_>,
    g: &FlexTensor,
    needed: &[bool],
) -> Vec<Option<FlexTensor>> {
    let ([rows, columns], input) = (g.shape().dims(), x.columns);
    let output = columns / needed.len();
    let mut dw: Vec<_> = needed.iter().map(|needed| needed.then(|| Uninit::new(input * output))).collect();
    let part = |number| [Matrix::strided(&floats(g)[number * output..], rows, output, columns)];
    let b: Vec<_> = (0..needed.len()).map(part).collect();
    let parts = dw.iter_mut().zip(&b).filter_map(|(dw, b)| {
        Some(Part { b, c: MatrixMut::new(dw.as_mut()?.slots(), input, output), bias: None })
    });
    products(cpu, x.t(), &parts.collect::<Vec<_>>(), &[]);
    // SAFETY: the product has written every element of every part, and each part is one buffer.
    let finished = |dw: Uninit| tensor(unsafe { dw.assume_init() }, [input, output]);
    dw.into_iter().map(|dw| dw.map(finished)).collect()
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
    let map = Map { b: &[matrix(weight)], bias: bias.map(floats) };
    tensor(side_by_side(cpu, matrix(x), &[map], &[weight]), [rows, columns])
}

/// g·\[W₀ W₁ …\]ᵀ, `[rows, in]`.
pub(crate) fn input_gradient(cpu: Cpu, g: &FlexTensor, weights: &[&FlexTensor]) -> Vec<f32> {
    let b = weights.iter().map(|weight| matrix(weight).t()).collect::<Vec<_>>();
    side_by_side(cpu, matrix(g), &[Map { b: &b, bias: None }], weights)
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
