//! The low-rank update of LoRA on GPUs, with products in the type of y. Only the columns of the update are read and
//! written. fp32 products are exact: they are so small that TF32 would save no time.

use burn::backend::Cube;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{Slice, Tensor};

use crate::autodiff::custom_op;
use crate::dropout::{DropoutSite, dropout};
use crate::layout::SequenceLayout;
use crate::linear::reference::matmul;
use crate::precision::Precision;

pub(super) fn add_low_rank(
    y: Tensor<2>,
    x: Tensor<2>,
    [a, b]: [Tensor<2>; 2],
    scaling: f64,
    first_column: usize,
    layout: Option<&SequenceLayout>,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let dtype = y.dtype();
    let (a, b) = (a.cast(dtype), b.mul_scalar(scaling).cast(dtype));
    let product = |x, y| matmul(x, y, Precision::Fp32);
    let added = product(product(dropout(x, layout, site).cast(dtype), a), b); // [rows, out]
    add_columns(y, added, first_column)
}

/// Adds a matrix to the columns of y from `first_column` on.
fn add_columns(y: Tensor<2>, added: Tensor<2>, first_column: usize) -> Tensor<2> {
    let [rows, columns] = added.dims();
    let place = [Slice::from(0..rows), Slice::from(first_column..first_column + columns)];
    custom_op::<Cube, 2, 2, _>([y.into_dispatch(), added.into_dispatch()], |[y, added], _| {
        let sum = Cube::float_add(Cube::float_slice(y.clone(), &place), added);
        let y = Cube::float_slice_assign(y, &place, sum);
        (y, move |g, [of_y, of_added]: [bool; 2]| {
            let dadded = of_added.then(|| Cube::float_slice(g.clone(), &place));
            [of_y.then_some(g), dadded]
        })
    })
}
