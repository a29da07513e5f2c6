//! Layer normalization of rows, with or without a residual connection (Ba, Kiros and Hinton, 2016).

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;
#[cfg(not(feature = "cube"))]
use reference as cube;

use burn::tensor::Tensor;

use crate::backend::{on_cpu, on_gpu};
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;

/// Layer normalization: y = γ·(x − μ)/√(σ² + ε) + β, with the mean and biased variance of each row (Ba, Kiros
/// and Hinton, 2016).
///
/// On a GPU, x may be bf16 or fp16. The output is fp32 there.
///
/// # Shapes
/// - `x`, output: `[num_tokens, hidden]`
/// - `weight` (γ): `[hidden]`, `bias` (β): `[hidden]`, 0 if `None`
pub fn layer_norm(x: Tensor<2>, weight: Tensor<1>, bias: Option<Tensor<1>>, epsilon: f64) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::layer_norm(x, weight, bias, epsilon);
    }
    if on_gpu(&weight) {
        return cube::layer_norm(x, weight, bias, epsilon);
    }
    reference::layer_norm(x, weight, bias, epsilon)
}

/// Layer normalization after a bias, dropout and a residual connection: y = LayerNorm(residual + dropout(x + c)).
///
/// c is the bias of the linear layer that returns x. Here it costs no pass over x of its own, and its gradient none over
/// the gradient of x. On a GPU, x may be bf16 or fp16. The residual and the output are fp32 there.
///
/// # Shapes
/// - `x`, `residual`, output: `[num_tokens, hidden]`
/// - `x_bias` (c): `[hidden]`, 0 if `None`
/// - `weight` (γ): `[hidden]`, `bias` (β): `[hidden]`, 0 if `None`
pub fn add_layer_norm(
    [x, residual]: [Tensor<2>; 2],
    x_bias: Option<Tensor<1>>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::add_layer_norm([x, residual], x_bias, weight, bias, epsilon, layout, site);
    }
    if on_gpu(&weight) {
        return cube::add_layer_norm([x, residual], x_bias, weight, bias, epsilon, layout, site);
    }
    reference::add_layer_norm([x, residual], x_bias, weight, bias, epsilon, layout, site)
}
