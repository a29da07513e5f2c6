//! Reference implementation of the residual connection.

use burn::tensor::Tensor;

use crate::dropout::DropoutSite;
use crate::dropout::reference::dropout;
use crate::layout::SequenceLayout;
use crate::precision::to_fp32;

/// residual + dropout(x); see [`add_residual`](crate::add_residual).
pub fn add_residual(
    x: Tensor<2>,
    residual: Tensor<2>,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    residual + to_fp32(dropout(x, Some(layout), site))
}
