//! Reference implementation of layer normalization.

use burn::tensor::Tensor;

use crate::dropout::DropoutSite;
use crate::dropout::reference::dropout;
use crate::layout::SequenceLayout;

/// Layer normalization: y = γ·(x − μ)/√(σ² + ε) + β; see [`layer_norm`](crate::layer_norm).
pub fn layer_norm(x: Tensor<2>, weight: Tensor<1>, bias: Option<Tensor<1>>, epsilon: f64) -> Tensor<2> {
    let centered = x.clone() - x.mean_dim(1); // [num_tokens, hidden]
    let variance = (centered.clone() * centered.clone()).mean_dim(1); // [num_tokens, 1]
    let normalized = centered / variance.add_scalar(epsilon).sqrt();
    let scaled = normalized * weight.unsqueeze();
    match bias {
        Some(bias) => scaled + bias.unsqueeze(),
        None => scaled,
    }
}

/// Layer normalization of residual + dropout(x + c); see [`add_layer_norm`](crate::add_layer_norm).
pub fn add_layer_norm(
    [x, residual]: [Tensor<2>; 2],
    x_bias: Option<Tensor<1>>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let x = match x_bias {
        Some(x_bias) => x + x_bias.unsqueeze(),
        None => x,
    };
    layer_norm(residual + dropout(x, Some(layout), site), weight, bias, epsilon)
}
