//! Affine maps between tensors, one or several of the same input side by side, and their gradients:
//! y = x·\[W₀ W₁ …\] + \[b₀ b₁ …\]; dx = g·\[W₀ W₁ …\]ᵀ, dW = xᵀ·g, db = Σ g over the rows.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::matmul::{Kernel, Matrix, MatrixMut, Part};
use super::packed_weights::multiply_by_weights;
use super::simd::{Cpu, WithKernel};
use super::tensors::{floats, sum_in_order, tensor};
use super::uninit::Uninit;
use super::vectors::{add, load};

/// x·\[W₀ W₁ …\] + \[b₀ b₁ …\], `[rows, maps · out]`.
pub(crate) fn forward(
    cpu: Cpu,
    x: &FlexTensor,
    weights: &[FlexTensor],
    biases: &[Option<FlexTensor>],
) -> FlexTensor {
    let ([rows, _], [_, output]) = (x.shape().dims(), weights[0].shape().dims());
    let matrices = weights.iter().map(|weight| [matrix(weight)]).collect::<Vec<_>>();
    let maps = matrices.iter().zip(biases).map(|(b, bias)| Map { b, bias: bias.as_ref().map(floats) });
    let maps = maps.collect::<Vec<_>>();
    tensor(side_by_side(cpu, matrix(x), &maps, weights), [rows, maps.len() * output])
}

/// g·\[W₀ W₁ …\]ᵀ, `[rows, in]`.
pub(crate) fn input_gradient(cpu: Cpu, g: &FlexTensor, weights: &[FlexTensor]) -> FlexTensor {
    let ([rows, _], [input, _]) = (g.shape().dims(), weights[0].shape().dims());
    let b = weights.iter().map(|weight| matrix(weight).t()).collect::<Vec<_>>();
    tensor(side_by_side(cpu, matrix(g), &[Map { b: &b, bias: None }], weights), [rows, input])
}

/// xᵀ·\[g₀ g₁ …\], `[in, out]` each, of the equally wide parts of `g` that are needed.
pub(crate) fn weight_gradients(
    cpu: Cpu,
    x: &FlexTensor,
    g: &FlexTensor,
    needed: &[bool],
) -> Vec<Option<FlexTensor>> {
    let ([rows, columns], [_, input]) = (g.shape().dims(), x.shape().dims());
    let output = columns / needed.len();
    let mut dw: Vec<_> = needed.iter().map(|needed| needed.then(|| Uninit::new(input * output))).collect();
    let part = |number| [Matrix::strided(&floats(g)[number * output..], rows, output, columns)];
    let b: Vec<_> = (0..needed.len()).map(part).collect();
    let parts = dw.iter_mut().zip(&b).filter_map(|(dw, b)| {
        Some(Part { b, c: MatrixMut::new(dw.as_mut()?.slots(), input, output), bias: None })
    });
    products(cpu, matrix(x).t(), &parts.collect::<Vec<_>>(), &[]);
    // SAFETY: the product has written every element of every part, and each part is one buffer.
    let finished = |dw: Uninit| tensor(unsafe { dw.assume_init() }, [input, output]);
    dw.into_iter().map(|dw| dw.map(finished)).collect()
}

/// Σ g over the rows, `[out]` for each of `maps` maps.
pub(crate) fn bias_gradients(cpu: Cpu, g: &FlexTensor, maps: usize) -> Vec<Option<FlexTensor>> {
    let [_, columns] = g.shape().dims();
    let sums = column_sums(cpu, floats(g), columns);
    sums.chunks(columns / maps).map(|db| Some(tensor(db.to_vec(), [db.len()]))).collect()
}

/// Rows whose sum is one part of a sum over all rows: it fixes the order of addition.
const ROWS_PER_PART: usize = 128;

/// Σ g over the rows, `[columns]`.
fn column_sums(cpu: Cpu, g: &[f32], columns: usize) -> Vec<f32> {
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

/// One of several maps of one input: the pieces of its weight, one below the other, and its bias.
struct Map<'a> {
    b: &'a [Matrix<'a>],
    bias: Option<&'a [f32]>,
}

/// \[A·B₀ + b₀, A·B₁ + b₁, …\] side by side, `[rows, maps · columns]`.
fn side_by_side(cpu: Cpu, a: Matrix<'_>, maps: &[Map<'_>], weights: &[FlexTensor]) -> Vec<f32> {
    let (rows, columns) = (a.rows, maps.len() * maps[0].b[0].columns);
    let mut y = Uninit::new(rows * columns);
    let parts = maps.iter().zip(MatrixMut::new(y.slots(), rows, columns).split_columns(maps.len()));
    let parts = parts.map(|(map, c)| Part { b: map.b, c, bias: map.bias });
    products(cpu, a, &parts.collect::<Vec<_>>(), weights);
    // SAFETY: the parts have all columns, and the product has written every element of every part.
    unsafe { y.assume_init() }
}

/// A times the parts' B on all threads of the pool. `weights` are the tensors of B if those are weights, else none.
fn products(cpu: Cpu, a: Matrix<'_>, parts: &[Part<'_>], weights: &[FlexTensor]) {
    struct Products<'a>(Matrix<'a>, &'a [Part<'a>], &'a [FlexTensor]);
    impl WithKernel for Products<'_> {
        type Output = ();
        fn run<K: Kernel, S: Simd>(self, kernel: K, _: S) {
            multiply_by_weights(kernel, self.0, self.1, self.2, rayon::current_num_threads());
        }
    }
    cpu.wide(Products(a, parts, weights));
}

fn matrix(tensor: &FlexTensor) -> Matrix<'_> {
    let [rows, columns] = tensor.shape().dims();
    Matrix::new(floats(tensor), rows, columns)
}
