//! Mean squared error: L = Σᵢⱼ (xᵢⱼ − yᵢⱼ)² / (rows · targets).

use burn::tensor::Tensor;

use super::matrix;

/// `torch.nn.MSELoss()`.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// Number of targets, which is the number of logits.
    pub num_targets: usize,
}

impl Regression {
    /// Returns the number of values, rows · targets.
    pub(super) fn normalizer(&self, values: &[Vec<f32>]) -> f64 {
        (values.len() * self.num_targets) as f64
    }

    /// Returns Σ (x − y)², `[1]`, for logits `[batch, num_targets]`.
    pub(super) fn loss_sum(&self, logits: Tensor<2>, values: &[Vec<f32>]) -> Tensor<1> {
        let shape = [values.len(), self.num_targets];
        let values = matrix(values.concat(), shape, &logits.device());
        let errors = logits - values;
        (errors.clone() * errors).sum()
    }
}
