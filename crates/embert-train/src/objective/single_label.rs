//! Cross-entropy with label smoothing ε and class weights w, as a weighted sum of log-probabilities:
//! L = −Σᵢ Σ꜀ Tᵢ꜀ · log pᵢ꜀ / Σᵢ w(yᵢ), with Tᵢ꜀ = (1 − ε) · w(yᵢ) · [c = yᵢ] + ε/C · w(c).

use burn::tensor::{Device, Tensor};
use embert_kernels::cross_entropy_sum;

use super::focal::focal_loss_sum;
use super::matrix;

/// `torch.nn.functional.cross_entropy(logits, labels, weight, label_smoothing=ε)`, or focal loss with the weights w.
#[derive(Debug, Clone, PartialEq)]
pub struct SingleLabel {
    /// ε, the probability that is spread evenly over all labels.
    pub label_smoothing: f64,
    /// w, one weight for each label.
    pub class_weights: Vec<f64>,
    /// γ of focal loss, which has no label smoothing. `None`: cross-entropy.
    pub focal_gamma: Option<f64>,
}

impl SingleLabel {
    /// Returns Σᵢ w(yᵢ).
    pub(super) fn normalizer(&self, labels: &[usize]) -> f64 {
        labels.iter().map(|&label| self.class_weights[label]).sum()
    }

    /// Returns the objective with w = 0 for all labels.
    pub(super) fn without_weights(&self) -> Self {
        Self { class_weights: vec![0.0; self.class_weights.len()], ..self.clone() }
    }

    /// Returns −Σᵢ Σ꜀ Tᵢ꜀ · log pᵢ꜀, or the focal loss, `[1]`, for logits `[batch, num_labels]`.
    pub(super) fn loss_sum(&self, logits: Tensor<2>, labels: &[usize]) -> Tensor<1> {
        if let Some(gamma) = self.focal_gamma {
            let weights = labels.iter().map(|&label| self.class_weights[label] as f32).collect();
            return focal_loss_sum(logits, labels, weights, gamma);
        }
        let factors = self.factors(labels, &logits.device());
        cross_entropy_sum(logits, factors)
    }

    /// Returns T, `[batch, num_labels]`.
    fn factors(&self, labels: &[usize], device: &Device) -> Tensor<2> {
        let num_labels = self.class_weights.len();
        let spread = self.label_smoothing / num_labels as f64;
        let factor = |label: usize, column: usize| {
            let own =
                if label == column { (1.0 - self.label_smoothing) * self.class_weights[label] } else { 0.0 };
            (own + spread * self.class_weights[column]) as f32
        };
        let factors =
            labels.iter().flat_map(|&label| (0..num_labels).map(move |column| factor(label, column)));
        matrix(factors.collect(), [labels.len(), num_labels], device)
    }
}
