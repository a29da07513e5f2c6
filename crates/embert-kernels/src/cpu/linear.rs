//! Linear layers and their gradients. Several layers of one input are computed as one product, with their
//! outputs concatenated along the columns.
//!
//! y = x·\[W₀ W₁ …\] + \[b₀ b₁ …\]; dx = g·\[W₀ W₁ …\]ᵀ, dW = xᵀ·g, db = Σ g over the rows.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::matmul::{ColumnBlock, Kernel, Matrix, MatrixMut};
use super::output_buffer::OutputBuffer;
use super::packed_weights::multiply_by_weights;
use super::simd::{Cpu, WithKernel};
use super::tensors::{as_slice, from_vec, sum_in_order};
use super::vectors::{add_assign, load};

/// Returns x·\[W₀ W₁ …\] + \[b₀ b₁ …\], `[rows, layers · out]`.
pub(crate) fn forward(
    cpu: Cpu,
    x: &FlexTensor,
    weights: &[FlexTensor],
    biases: &[Option<FlexTensor>],
) -> FlexTensor {
    let ([rows, _], [_, output]) = (x.shape().dims(), weights[0].shape().dims());
    let matrices = weights.iter().map(|weight| [matrix(weight)]).collect::<Vec<_>>();
    let layers = matrices.iter().zip(biases).map(|(b, bias)| Layer { b, bias: bias.as_ref().map(as_slice) });
    let layers = layers.collect::<Vec<_>>();
    from_vec(concatenated(cpu, matrix(x), &layers, weights), [rows, layers.len() * output])
}

/// Returns g·\[W₀ W₁ …\]ᵀ, `[rows, in]`.
pub(crate) fn input_gradient(cpu: Cpu, g: &FlexTensor, weights: &[FlexTensor]) -> FlexTensor {
    let ([rows, _], [input, _]) = (g.shape().dims(), weights[0].shape().dims());
    let b = weights.iter().map(|weight| matrix(weight).t()).collect::<Vec<_>>();
    from_vec(concatenated(cpu, matrix(g), &[Layer { b: &b, bias: None }], weights), [rows, input])
}

/// Returns xᵀ·gᵢ, `[in, out]`, for each layer i with `needed[i]`. `g` consists of `needed.len()` column
/// blocks of equal width.
pub(crate) fn weight_gradients(
    cpu: Cpu,
    x: &FlexTensor,
    g: &FlexTensor,
    needed: &[bool],
) -> Vec<Option<FlexTensor>> {
    let ([rows, columns], [_, input]) = (g.shape().dims(), x.shape().dims());
    let output = columns / needed.len();
    let mut dw: Vec<_> =
        needed.iter().map(|needed| needed.then(|| OutputBuffer::new(input * output))).collect();
    let column_block = |number| [Matrix::strided(&as_slice(g)[number * output..], rows, output, columns)];
    let b: Vec<_> = (0..needed.len()).map(column_block).collect();
    let blocks = dw.iter_mut().zip(&b).filter_map(|(dw, b)| {
        Some(ColumnBlock { b, c: MatrixMut::new(dw.as_mut()?.as_uninit_mut(), input, output), bias: None })
    });
    multiply_on_all_threads(cpu, matrix(x).t(), &blocks.collect::<Vec<_>>(), &[]);
    // SAFETY: each buffer is the complete C of one column block of the product, and `multiply` initializes
    // every element of C.
    let finished = |dw: OutputBuffer| from_vec(unsafe { dw.assume_init() }, [input, output]);
    dw.into_iter().map(|dw| dw.map(finished)).collect()
}

/// Returns Σ g over the rows, `[out]` for each of `layers` layers.
pub(crate) fn bias_gradients(cpu: Cpu, g: &FlexTensor, layers: usize) -> Vec<Option<FlexTensor>> {
    let [_, columns] = g.shape().dims();
    let sums = column_sums(cpu, as_slice(g), columns);
    sums.chunks(columns / layers).map(|db| Some(from_vec(db.to_vec(), [db.len()]))).collect()
}

/// The number of rows that are added to one partial sum. It fixes the order of addition.
const ROWS_PER_SUM: usize = 128;

/// Returns Σ g over the rows, `[columns]`.
fn column_sums(cpu: Cpu, g: &[f32], columns: usize) -> Vec<f32> {
    struct Sums<'a>(&'a [f32], usize);
    impl WithSimd for Sums<'_> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut sums = vec![0.0; self.1];
            for row in self.0.chunks_exact(self.1) {
                for offset in (0..self.1).step_by(S::F32_LANES) {
                    add_assign(simd, &mut sums, offset, load(simd, row, offset));
                }
            }
            sums
        }
    }
    let sums = g.par_chunks(columns * ROWS_PER_SUM).map(|rows| cpu.vectorize(Sums(rows, columns)));
    sum_in_order(sums.collect())
}

/// One of several linear layers of the same input.
struct Layer<'a> {
    /// The row blocks of the weight matrix, from top to bottom.
    b: &'a [Matrix<'a>],
    bias: Option<&'a [f32]>,
}

/// Returns \[A·B₀ + b₀, A·B₁ + b₁, …\], concatenated along the columns: `[rows, layers · columns]`.
fn concatenated(cpu: Cpu, a: Matrix<'_>, layers: &[Layer<'_>], weights: &[FlexTensor]) -> Vec<f32> {
    let (rows, columns) = (a.rows, layers.len() * layers[0].b[0].columns);
    let mut y = OutputBuffer::new(rows * columns);
    let blocks =
        layers.iter().zip(MatrixMut::new(y.as_uninit_mut(), rows, columns).split_columns(layers.len()));
    let blocks = blocks.map(|(layer, c)| ColumnBlock { b: layer.b, c, bias: layer.bias });
    multiply_on_all_threads(cpu, a, &blocks.collect::<Vec<_>>(), weights);
    // SAFETY: `split_columns` divides all columns of `y` among the column blocks, and `multiply` initializes
    // every element of each block.
    unsafe { y.assume_init() }
}

/// Multiplies A by each block's B on all threads of the pool. `weights` are the tensors that B consists of;
/// it is empty if B is not a weight.
fn multiply_on_all_threads(cpu: Cpu, a: Matrix<'_>, blocks: &[ColumnBlock<'_>], weights: &[FlexTensor]) {
    struct Multiply<'a>(Matrix<'a>, &'a [ColumnBlock<'a>], &'a [FlexTensor]);
    impl WithKernel for Multiply<'_> {
        type Output = ();
        fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, _: S) {
            multiply_by_weights(kernel, self.0, self.1, self.2, rayon::current_num_threads());
        }
    }
    cpu.with_wide_tile(Multiply(a, blocks, weights));
}

fn matrix(tensor: &FlexTensor) -> Matrix<'_> {
    let [rows, columns] = tensor.shape().dims();
    Matrix::new(as_slice(tensor), rows, columns)
}
