//! Clipping by the global norm: c = min(1, max_norm / (‖g‖₂ + 10⁻⁶)) with ‖g‖₂ over all parameters at once.

use embert_kernels::sum_of_squares;

use crate::gradients::ParameterGradients;

/// The Euclidean length of all gradients together. Reads back: synchronises.
///
/// It is infinite or NaN where a gradient is.
pub fn global_norm(gradients: &ParameterGradients) -> f64 {
    gradients.values().map(|gradient| sum_of_squares(gradient.clone())).sum::<f64>().sqrt()
}

/// What gradients of length `norm` are multiplied with, as `torch.nn.utils.clip_grad_norm_` does; 1 when
/// `max_grad_norm` is 0.
pub fn clip_coefficient(norm: f64, max_grad_norm: f64) -> f64 {
    if max_grad_norm == 0.0 {
        return 1.0;
    }
    (max_grad_norm / (norm + 1e-6)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coefficient_is_torchs() {
        // torch.nn.utils.clip_grad_norm_ multiplies with min(1, max_norm / (norm + 1e-6))
        assert_eq!(clip_coefficient(4.0, 1.0), 1.0 / (4.0 + 1e-6));
        assert_eq!(clip_coefficient(0.5, 1.0), 1.0);
        assert_eq!(clip_coefficient(1e9, 0.0), 1.0);
    }
}
