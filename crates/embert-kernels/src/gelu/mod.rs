//! GELU with a bias: y = h·Φ(h), h = x + b, Φ(h) = ½(1 + erf(h/√2)) (Hendrycks and Gimpel, 2016), or its approximation
//! by tanh.

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
use crate::precision::Precision;

/// The formula of Φ, as `approximate` of `torch.nn.functional.gelu`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeluApproximation {
    /// Φ(h) = ½(1 + erf(h/√2)): `gelu` of Hugging Face's `hidden_act`.
    None,
    /// Φ(h) ≈ ½(1 + tanh(√(2/π)·(h + 0.044715·h³))): `gelu_new`.
    Tanh,
}

/// GELU with a bias: y = h·Φ(h), h = x + b.
///
/// # Shapes
/// - `x`, output: `[num_tokens, intermediate]`
/// - `bias`: `[intermediate]`, 0 if `None`
pub fn bias_gelu(x: Tensor<2>, bias: Option<Tensor<1>>, approximation: GeluApproximation) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::bias_gelu(x, bias, approximation);
    }
    if on_gpu(&x) {
        return cube::bias_gelu(x, bias, approximation);
    }
    reference::bias_gelu(x, bias, approximation)
}

/// GELU with a bias, and a linear layer without one: y = gelu(x + b)·W.
///
/// The backward pass keeps `x` and computes the activation again.
///
/// # Shapes
/// - `x`: `[num_tokens, intermediate]`, `bias` (b): `[intermediate]`, 0 if `None`
/// - `weight` (W): `[intermediate, hidden]`
/// - output: `[num_tokens, hidden]`
pub fn bias_gelu_linear(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    weight: Tensor<2>,
    approximation: GeluApproximation,
    precision: Precision,
) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::bias_gelu_linear(x, bias, weight, approximation, precision);
    }
    if on_gpu(&x) {
        return cube::bias_gelu_linear(x, bias, weight, approximation, precision);
    }
    reference::bias_gelu_linear(x, bias, weight, approximation, precision)
}
