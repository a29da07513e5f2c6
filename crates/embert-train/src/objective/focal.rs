//! Focal loss (Lin et al., 2017): L = −Σᵢ wᵢ · (1 − pᵢ)^γ · log pᵢ, with pᵢ the softmax probability of the label of row i.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use super::matrix;

/// Excludes a column from a maximum and from a sum of exponentials.
const EXCLUDED: f64 = -1e30;

/// Returns the focal loss, `[1]`, of logits `[rows, num_labels]` with the label and the weight of each row.
///
/// (1 − p)^γ is exp(γ · log Σ p of the other labels), which is accurate and differentiable for p near 1 and for any γ.
///
/// # Panics
/// If there is only one label.
pub(super) fn focal_loss_sum(
    logits: Tensor<2>,
    labels: &[usize],
    weights: Vec<f32>,
    gamma: f64,
) -> Tensor<1> {
    let ([rows, num_labels], device) = (logits.dims(), logits.device());
    assert!(num_labels >= 2, "focal loss needs the probability of another label");
    let is_own = |label: usize| (0..num_labels).map(move |column| f32::from(u8::from(column == label)));
    let own = labels.iter().flat_map(|&label| is_own(label)).collect();
    let own = matrix(own, [rows, num_labels], &device); // 1 for the label of the row
    let log_p = log_softmax(logits, 1); // [rows, num_labels]
    let log_own = (log_p.clone() * own.clone()).sum_dim(1); // [rows, 1]
    let log_others = log_sum_exp(log_p + own * EXCLUDED); // [rows, 1]
    let factors = (log_others * gamma).exp(); // [rows, 1]
    (matrix(weights, [rows, 1], &device) * factors * log_own).sum().neg()
}

/// Returns log Σ exp x of each row, `[rows, 1]`.
fn log_sum_exp(x: Tensor<2>) -> Tensor<2> {
    let highest = x.clone().detach().max_dim(1); // a constant: it cancels
    (x - highest.clone()).exp().sum_dim(1).log() + highest
}
