//! y + s·x̃·A·B, x̃ = dropout(x): u = s·x̃·A is kept; with v = s·g·Bᵀ, dB = uᵀ·g, dA = x̃ᵀ·v, dx = dropout(v·Aᵀ).

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::linear::{matrix, narrow_product, products};
use super::memory::{tensor, unwritten};
use super::product::{Matrix, MatrixMut, Part, Start};
use super::simd::Cpu;
use super::{Mask, dropout};
use crate::Precision;

/// A, B, s, the columns of y that they add to, and x's dropout. Products are in fp32: they are a hundredth of a step.
#[derive(Clone)]
pub(crate) struct LowRank {
    pub(crate) a: FlexTensor,
    pub(crate) b: FlexTensor,
    pub(crate) scaling: f32,
    pub(crate) columns: Range<usize>,
    pub(crate) mask: Option<Mask>,
}

impl LowRank {
    pub(crate) fn new(
        a: FlexTensor,
        b: FlexTensor,
        scaling: f64,
        first_column: usize,
        mask: Option<Mask>,
    ) -> Self {
        let (a, b) = (a.to_contiguous(), b.to_contiguous());
        let columns = first_column..first_column + b.shape()[1];
        Self { a, b, scaling: scaling as f32, columns, mask }
    }

    /// Adds to y, in place where nobody else holds it, and gives u, `[rows, r]`.
    pub(crate) fn add(&self, y: FlexTensor, x: &FlexTensor) -> (FlexTensor, Vec<f32>) {
        let [rows, columns] = y.shape().dims();
        let u = self.scaled(narrow_product(cpu(), matrix(&self.dropped(x)), matrix(&self.a)));
        let mut y = y.to_contiguous();
        let whole = MatrixMut::new(y.storage_mut(), rows, columns);
        let c = whole.part(0..rows, self.columns.clone());
        products(cpu(), self.of_rank(&u), &[Part { b: &[matrix(&self.b)], c, start: Start::There }]);
        (y, u)
    }

    /// The gradients of x, where it is wanted, of A and of B.
    pub(crate) fn backward(
        &self,
        g: &FlexTensor,
        x: &FlexTensor,
        u: &[f32],
        x_needed: bool,
    ) -> [Option<FlexTensor>; 3] {
        let ([rows, rank], [_, output]) = ([x.shape()[0], self.rank()], self.b.shape().dims::<2>());
        let g = matrix(g).columns(self.columns.start, output); // [rows, out]
        let v = self.scaled(narrow_product(cpu(), g, matrix(&self.b).t()));
        let v = self.of_rank(&v); // [rows, r]
        let da = narrow_product(cpu(), matrix(&self.dropped(x)).t(), v);
        let mut db = unwritten(rank * output);
        let c = MatrixMut::new(&mut db, rank, output);
        products(cpu(), self.of_rank(u).t(), &[Part { b: &[g], c, start: Start::Zero }]);
        let dx = x_needed.then(|| {
            let input = x.shape()[1];
            let mut dx = unwritten(rows * input);
            let c = MatrixMut::new(&mut dx, rows, input);
            products(cpu(), v, &[Part { b: &[matrix(&self.a).t()], c, start: Start::Zero }]);
            self.dropped(&tensor(dx, [rows, input]))
        });
        [dx, Some(tensor(da, [x.shape()[1], rank])), Some(tensor(db, [rank, output]))]
    }

    fn rank(&self) -> usize {
        self.a.shape()[1]
    }

    fn of_rank<'a>(&self, values: &'a [f32]) -> Matrix<'a> {
        Matrix::new(values, values.len() / self.rank(), self.rank())
    }

    fn scaled(&self, mut values: Vec<f32>) -> Vec<f32> {
        values.iter_mut().for_each(|value| *value *= self.scaling);
        values
    }

    fn dropped(&self, x: &FlexTensor) -> FlexTensor {
        match &self.mask {
            Some(mask) => dropout::apply(cpu(), x, &mask.keys, mask.rate),
            None => x.clone(),
        }
    }
}

fn cpu() -> Cpu {
    Cpu::new(Precision::Fp32)
}
