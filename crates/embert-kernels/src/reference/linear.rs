//! The affine map: y = xW + b.

use burn::tensor::Tensor;

/// y = xW + b.
///
/// # Shapes
/// - `x`: `[num_tokens, in]`
/// - `weight`: `[in, out]` (the transpose of PyTorch's)
/// - `bias`: `[out]`
/// - output: `[num_tokens, out]`
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    x.matmul(weight) + bias.unsqueeze()
}
