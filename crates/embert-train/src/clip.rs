//! Clipping by the global norm: c = min(1, max_norm / (‖g‖₂ + 10⁻⁶)) with ‖g‖₂ over all parameters at once.

use burn::tensor::Tensor;
use embert_kernels::sum_of_squares;

use crate::gradients::ParameterGradients;

/// Returns the Euclidean length of all gradients together.
///
/// It is infinite or NaN where a gradient is.
///
/// # Shapes
/// - output: `[1]`
///
/// # Panics
/// If there is no gradient.
pub fn global_norm(gradients: &ParameterGradients) -> Tensor<1> {
    let squares = gradients.values().map(|gradient| sum_of_squares(gradient.clone()));
    Tensor::cat(squares.collect(), 0).sum().sqrt()
}

/// Returns the factor of gradients of length `norm`, as in `torch.nn.utils.clip_grad_norm_`; 1 when
/// `max_grad_norm` is 0.
///
/// # Shapes
/// - `norm`, output: `[1]`
pub fn clip_coefficient(norm: Tensor<1>, max_grad_norm: f64) -> Tensor<1> {
    if max_grad_norm == 0.0 {
        return norm.ones_like();
    }
    (norm + 1e-6).recip().mul_scalar(max_grad_norm).clamp_max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coefficient_is_torchs() {
        // torch.nn.utils.clip_grad_norm_ multiplies with min(1, max_norm / (norm + 1e-6))
        let coefficient = |norm: f32, max_grad_norm| {
            let norm = Tensor::from_floats([norm], &burn::tensor::Device::flex());
            clip_coefficient(norm, max_grad_norm).into_scalar::<f32>()
        };
        assert_eq!(coefficient(4.0, 1.0), 1.0 / (4.0 + 1e-6));
        assert_eq!(coefficient(0.5, 1.0), 1.0);
        assert_eq!(coefficient(1e9, 0.0), 1.0);
    }
}
