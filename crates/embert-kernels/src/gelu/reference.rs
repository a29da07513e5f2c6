//! GELU, exact, with the bias before it: y = h·Φ(h), h = x + b, Φ(h) = ½(1 + erf(h/√2)) (Hendrycks and Gimpel, 2016).

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::Tensor;

use crate::linear::reference::linear;
use crate::precision::Precision;

/// y = h·Φ(h) with h = x + b; see [`bias_gelu`](crate::bias_gelu).
///
/// Composed of erf, whose gradient is exact on every backend; Burn's own `gelu` takes the derivative of the tanh
/// approximation on GPUs.
pub fn bias_gelu(x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let h = match bias {
        Some(bias) => x + bias.unsqueeze(),
        None => x,
    };
    let erf = h.clone().mul_scalar(FRAC_1_SQRT_2).erf();
    h * erf.add_scalar(1.0).mul_scalar(0.5)
}

/// y = gelu(x + b)·W + c; see [`bias_gelu_linear`](crate::bias_gelu_linear).
pub fn bias_gelu_linear(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    weight: Tensor<2>,
    output_bias: Option<Tensor<1>>,
    precision: Precision,
) -> Tensor<2> {
    linear(bias_gelu(x, bias), weight, output_bias, precision)
}
