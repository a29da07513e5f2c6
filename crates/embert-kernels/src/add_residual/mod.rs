//! The residual connection of a layer with its norm before the block: residual + dropout(x).

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::dropout::{DropoutSite, dropout};
use crate::layout::SequenceLayout;
use crate::precision::to_fp32;

/// Residual connection: residual + dropout(x). In [`add_layer_norm`](crate::add_layer_norm) a norm follows it.
///
/// On a GPU, x may be bf16 or fp16. The residual and the output are fp32 there.
///
/// # Shapes
/// - `x`, `residual`, output: `[num_tokens, hidden]`
///
/// # Panics
/// If the shapes do not match.
pub fn add_residual(
    x: Tensor<2>,
    residual: Tensor<2>,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    assert_eq!(x.dims(), residual.dims(), "x and the residual must have the same shape");
    if on_cpu(&x) {
        return cpu::add_residual(x, residual, layout, site);
    }
    residual + to_fp32(dropout(x, Some(layout), site))
}
