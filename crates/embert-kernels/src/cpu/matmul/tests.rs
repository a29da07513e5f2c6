//! Tests of the matrix product: every kernel, shape and blocking against a direct sum.

use pulp::Simd;

use super::{ColumnBlock, Kernel, Matrix, MatrixMut, PackedB, multiply};
use crate::cpu::aligned_buffer::AlignedBuffer;
use crate::cpu::output_buffer::OutputBuffer;
use crate::cpu::simd::{Cpu, WithKernel};
use crate::precision::Precision;

/// Returns multiples of 1/16. They are exact in bf16, and sums of a few hundred products are exact in fp32.
fn values(len: usize, salt: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + salt * 13) * (i % 11 + 1) % 31) as f32 / 16.0 - 1.0).collect()
}

#[derive(Clone, Copy)]
struct Case<'a> {
    a: Matrix<'a>,
    b: Matrix<'a>,
    bias: Option<&'a [f32]>,
    threads: usize,
}

impl WithKernel for Case<'_> {
    type Output = Vec<f32>;
    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, _: S) -> Vec<f32> {
        let mut c = OutputBuffer::new(self.a.rows * self.b.columns);
        let to = MatrixMut::new(c.as_uninit_mut(), self.a.rows, self.b.columns);
        let blocks = [ColumnBlock { b: &[self.b], c: to, bias: self.bias }];
        let mut buffer = AlignedBuffer::default();
        for packed in 0..3 {
            let packed = match packed {
                0 => PackedB::Scratch,
                1 => PackedB::Buffer(&mut buffer),
                _ => PackedB::Ready(&buffer),
            };
            multiply(kernel, self.a, &blocks, self.threads, packed);
        }
        // SAFETY: in a test the buffer is filled with NaN, so every element is initialized.
        unsafe { c.assume_init() }
    }
}

fn expected_product(case: Case<'_>) -> Vec<f32> {
    // SAFETY: i and j are below the rows and columns of the matrix, which borrows initialized numbers.
    let element = |matrix: &Matrix<'_>, i, j| unsafe { *matrix.ptr(i, j) };
    let at = |i: usize, j: usize| {
        let start = case.bias.map_or(0.0, |bias| bias[j]);
        (0..case.a.columns).fold(start, |sum, k| sum + element(&case.a, i, k) * element(&case.b, k, j))
    };
    (0..case.a.rows).flat_map(|i| (0..case.b.columns).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect()
}

#[test]
fn every_kernel_is_exact_for_every_shape() {
    for [m, k, n] in
        [[1, 1, 1], [3, 2, 5], [8, 16, 48], [13, 33, 49], [50, 31, 17], [9, 900, 97], [130, 64, 144]]
    {
        let (a, b, bias) = (values(m * k, 1), values(k * n, 2), values(n, 3));
        let lefts = [Matrix::new(&a, m, k), Matrix::new(&a, k, m).t()];
        let rights = [Matrix::new(&b, k, n), Matrix::new(&b, n, k).t()];
        for (a, b) in lefts.into_iter().flat_map(|a| rights.map(|b| (a, b))) {
            for bias in [None, Some(&*bias)] {
                for threads in [1, 2, 7] {
                    let case = Case { a, b, bias, threads };
                    let expected = expected_product(case);
                    for precision in [Precision::Fp32, Precision::Bf16] {
                        for cpu in Cpu::all(precision) {
                            assert_eq!(cpu.with_wide_tile(case), expected, "{m}x{k}x{n}, wide tile");
                            assert_eq!(cpu.with_narrow_tile(case), expected, "{m}x{k}x{n}, narrow tile");
                        }
                    }
                }
            }
        }
    }
}

/// A product with two column blocks, whose B has three row blocks each.
struct BlockedCase<'a> {
    a: Matrix<'a>,
    b: [[Matrix<'a>; 3]; 2],
    bias: &'a [f32],
    threads: usize,
}

impl WithKernel for BlockedCase<'_> {
    type Output = [Vec<f32>; 2];
    fn with_kernel<K: Kernel, S: Simd>(self, kernel: K, _: S) -> Self::Output {
        let (rows, columns) = (self.a.rows, self.bias.len());
        let mut c = [0; 2].map(|_| OutputBuffer::new(rows * columns));
        let [first, second] = c.each_mut().map(|c| MatrixMut::new(c.as_uninit_mut(), rows, columns));
        let blocks = [
            ColumnBlock { b: &self.b[0], c: first, bias: None },
            ColumnBlock { b: &self.b[1], c: second, bias: Some(self.bias) },
        ];
        multiply(kernel, self.a, &blocks, self.threads, PackedB::Scratch);
        // SAFETY: in a test the buffers are filled with NaN, so every element is initialized.
        c.map(|c| unsafe { c.assume_init() })
    }
}

#[test]
fn a_blocked_b_gives_the_product_of_the_complete_b() {
    for [m, k, n] in [[5, 3, 7], [70, 17, 50], [130, 450, 48]] {
        let (a, b, bias) = (values(m * 3 * k, 1), values(6 * k * n, 2), values(n, 3));
        let a = Matrix::new(&a, m, 3 * k);
        let row_block = |i: usize| Matrix::new(&b[i * k * n..(i + 1) * k * n], k, n);
        let row_blocks = [0, 3].map(|i| [row_block(i), row_block(i + 1), row_block(i + 2)]);
        let expected = [0, 1].map(|block| {
            let b = Matrix::new(&b[block * 3 * k * n..(block + 1) * 3 * k * n], 3 * k, n);
            expected_product(Case { a, b, bias: [None, Some(&*bias)][block], threads: 1 })
        });
        for precision in [Precision::Fp32, Precision::Bf16] {
            for (cpu, threads) in Cpu::all(precision).into_iter().flat_map(|cpu| [(cpu, 1), (cpu, 3)]) {
                let case = || BlockedCase { a, b: row_blocks, bias: &bias, threads };
                assert_eq!(cpu.with_wide_tile(case()), expected, "{m}x{k}x{n}");
                assert_eq!(cpu.with_narrow_tile(case()), expected, "{m}x{k}x{n}, narrow tile");
            }
        }
    }
}
