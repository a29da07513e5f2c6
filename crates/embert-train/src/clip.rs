//! Clipping by the global norm: c = min(1, max_norm / (‖g‖₂ + 10⁻⁶)) with ‖g‖₂ over all parameters at once.

use burn::tensor::Tensor;

use crate::gradients::ParameterGradients;

/// Elements that are summed in one go. Burn's CPU backend sums longer tensors on several threads in an order that
/// differs from run to run; pieces of this size keep two runs with one seed equal to the last bit.
const SUMMED_AT_ONCE: usize = 1 << 21;

/// The Euclidean length of all gradients together. Reads back: synchronises.
///
/// It is infinite or NaN where a gradient is.
pub fn global_norm(gradients: &ParameterGradients) -> f64 {
    let sums = gradients.values().flat_map(sums_of_squares).collect::<Vec<_>>();
    if sums.is_empty() {
        return 0.0;
    }
    let sums = Tensor::cat(sums, 0).into_data(); // [pieces]
    sums.iter::<f64>().sum::<f64>().sqrt()
}

/// What gradients of length `norm` are multiplied with, as `torch.nn.utils.clip_grad_norm_` does; 1 when
/// `max_grad_norm` is 0.
pub fn clip_coefficient(norm: f64, max_grad_norm: f64) -> f64 {
    if max_grad_norm == 0.0 {
        return 1.0;
    }
    (max_grad_norm / (norm + 1e-6)).min(1.0)
}

fn sums_of_squares(gradient: &Tensor<1>) -> impl Iterator<Item = Tensor<1>> + '_ {
    let [elements] = gradient.dims();
    (0..elements).step_by(SUMMED_AT_ONCE).map(move |start| {
        let piece = gradient.clone().narrow(0, start, SUMMED_AT_ONCE.min(elements - start));
        piece.square().sum()
    })
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
