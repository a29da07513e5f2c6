//! Reference implementation of GELU with a bias: y = h·Φ(h), h = x + b, Φ(h) = ½(1 + erf(h/√2)) (Hendrycks and Gimpel,
//! 2016), or Φ(h) ≈ ½(1 + tanh(√(2/π)·(h + 0.044715·h³))).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use burn::tensor::Tensor;

use super::GeluApproximation;
use crate::linear::reference::linear;
use crate::precision::Precision;

/// GELU with a bias; see [`bias_gelu`](crate::bias_gelu).
///
/// It is composed of erf and tanh, whose gradients are exact on every backend. On GPUs, Burn's own `gelu` uses the
/// derivative of the tanh approximation.
pub fn bias_gelu(x: Tensor<2>, bias: Option<Tensor<1>>, approximation: GeluApproximation) -> Tensor<2> {
    let h = match bias {
        Some(bias) => x + bias.unsqueeze(),
        None => x,
    };
    let odd = match approximation {
        GeluApproximation::None => h.clone().mul_scalar(FRAC_1_SQRT_2).erf(),
        GeluApproximation::Tanh => {
            let cube = h.clone() * h.clone() * h.clone();
            (h.clone() + cube.mul_scalar(0.044715)).mul_scalar(FRAC_2_PI.sqrt()).tanh()
        }
    };
    h * odd.add_scalar(1.0).mul_scalar(0.5)
}

/// GELU with a bias, and a linear layer; see [`bias_gelu_linear`](crate::bias_gelu_linear).
pub fn bias_gelu_linear(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    weight: Tensor<2>,
    approximation: GeluApproximation,
    precision: Precision,
) -> Tensor<2> {
    linear(bias_gelu(x, bias, approximation), weight, None, precision)
}
