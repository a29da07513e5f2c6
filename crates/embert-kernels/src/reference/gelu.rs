//! GELU, exact, with the bias before it: y = h·Φ(h), h = x + b, Φ(h) = ½(1 + erf(h/√2)) (Hendrycks and Gimpel, 2016).

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::Tensor;

/// y = h·Φ(h) with h = x + b.
///
/// Composed of erf, whose gradient is exact on every backend; Burn's own `gelu` takes the derivative of the tanh
/// approximation on GPUs.
///
/// # Shapes
/// - `x`, output: `[num_tokens, intermediate]`
/// - `bias`: `[intermediate]`
pub fn bias_gelu(x: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    let h = x + bias.unsqueeze();
    let erf = h.clone().mul_scalar(FRAC_1_SQRT_2).erf();
    h * erf.add_scalar(1.0).mul_scalar(0.5)
}
