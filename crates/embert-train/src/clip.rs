//! Gradient clipping by the global norm: c = min(1, max_norm / (‖g‖₂ + 10⁻⁶)), with ‖g‖₂ over all parameters.

use burn::tensor::Tensor;
use embert_kernels::sum_of_squares_of;

use crate::gradients::ParameterGradients;

/// Returns the global norm ‖g‖₂ over all gradients. It is infinite or NaN if a gradient is.
///
/// # Shapes
/// - output: `[1]`
///
/// # Panics
/// If there is no gradient.
pub fn global_norm(gradients: &ParameterGradients) -> Tensor<1> {
    sum_of_squares_of(gradients.values().cloned().collect()).sqrt()
}

/// Returns the factor for gradients of this norm, as in `torch.nn.utils.clip_grad_norm_`: min(1, max_grad_norm /
/// (norm + 10⁻⁶)). A `max_grad_norm` of 0 turns clipping off and gives 1.
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
    fn the_clip_coefficient_matches_pytorch() {
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
