//! AdamW (Loshchilov and Hutter, 2019): m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
//! θ ← θ·(1 − ηλ) − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε).

use burn::tensor::Tensor;

use super::step::{AdamWStep, Moments};

/// One step; see [`adamw`](crate::adamw).
pub fn adamw(
    values: Tensor<1>,
    gradient: Tensor<1>,
    gradient_scale: Tensor<1>,
    moments: Moments,
    step: &AdamWStep,
) -> (Tensor<1>, Moments) {
    let gradient = gradient * gradient_scale;
    let squares = gradient.clone().square() * (1.0 - step.beta2);
    let mean = moments.mean * step.beta1 + gradient * (1.0 - step.beta1);
    let mean_of_squares = moments.mean_of_squares * step.beta2 + squares;
    let [correction1, correction2] = step.corrections();
    let divisor = mean_of_squares.clone().sqrt() / correction2.sqrt() + step.epsilon;
    let kept = values * (1.0 - step.learning_rate * step.weight_decay);
    let values = kept - mean.clone() / divisor * (step.learning_rate / correction1);
    (values, Moments { mean, mean_of_squares })
}

/// Elements that are summed in one go. Burn's CPU backend sums longer tensors on several threads in an order that
/// differs from run to run; pieces of this size keep two runs with one seed equal to the last bit.
const SUMMED_AT_ONCE: usize = 1 << 21;

/// Σ x²; see [`sum_of_squares`](crate::sum_of_squares).
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    let [elements] = x.dims();
    let pieces = (0..elements).step_by(SUMMED_AT_ONCE).map(|start| {
        let piece = x.clone().narrow(0, start, SUMMED_AT_ONCE.min(elements - start));
        piece.square().sum()
    });
    Tensor::cat(pieces.collect(), 0).sum() // of [pieces]
}
