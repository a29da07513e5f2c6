//! Reference implementation of the low-rank update of LoRA.

use burn::tensor::Tensor;

use crate::dropout::DropoutSite;
use crate::dropout::reference::dropout;
use crate::layout::SequenceLayout;

/// The low-rank update of LoRA; see [`add_low_rank`](crate::add_low_rank).
pub fn add_low_rank(
    y: Tensor<2>,
    x: Tensor<2>,
    [a, b]: [Tensor<2>; 2],
    scaling: f64,
    first_column: usize,
    layout: Option<&SequenceLayout>,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let ([rows, columns], [_, output]) = (y.dims(), b.dims());
    let added = dropout(x, layout, site).matmul(a).matmul(b).mul_scalar(scaling); // [rows, out]
    let zeros = |columns| Tensor::zeros([rows, columns], (&added.device(), added.dtype()));
    let (before, after) = (zeros(first_column), zeros(columns - first_column - output));
    y + Tensor::cat(vec![before, added, after], 1)
}
