//! What an optimizer does to all parameters: one sweep for the norm of the gradients, one for the step. Nothing is read
//! back from the device.

use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use crate::cpu;
use crate::reference;

/// The numbers of one AdamW step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// η
    pub learning_rate: f64,
    /// β₁, the decay rate of the mean of the gradient.
    pub beta1: f64,
    /// β₂, the decay rate of the mean of the squared gradient.
    pub beta2: f64,
    /// ε, added outside the root.
    pub epsilon: f64,
    /// λ, the decoupled decay.
    pub weight_decay: f64,
    /// t, from 1.
    pub step: i32,
}

impl AdamWStep {
    /// 1 − β₁ᵗ and 1 − β₂ᵗ: how far the moments are from having forgotten that they began at 0.
    pub fn corrections(&self) -> [f64; 2] {
        [self.beta1, self.beta2].map(|beta| 1.0 - beta.powi(self.step))
    }
}

/// What AdamW remembers of a parameter.
#[derive(Debug, Clone)]
pub struct Moments {
    /// m, `[elements]`
    pub mean: Tensor<1>,
    /// v, `[elements]`
    pub mean_of_squares: Tensor<1>,
}

/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ·(1 − ηλ) − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε): PyTorch's AdamW.
///
/// Here g is `gradient · gradient_scale`, which takes the clipping coefficient. On the CPU one threaded sweep, in place
/// where nobody else holds the tensors. They must not be on a tape.
///
/// # Shapes
/// - `values` (θ), `gradient`, output: `[elements]`
/// - `gradient_scale`: `[1]`
pub fn adamw(
    values: Tensor<1>,
    gradient: Tensor<1>,
    gradient_scale: Tensor<1>,
    moments: Moments,
    step: &AdamWStep,
) -> (Tensor<1>, Moments) {
    #[cfg(feature = "flex")]
    if cpu::computes(&values) {
        return cpu::adamw(values, gradient, gradient_scale, moments, step);
    }
    reference::adamw(values, gradient, gradient_scale, moments, step)
}

/// Σ x². The order of the sum depends on the length alone.
///
/// # Shapes
/// - `x`: `[elements]`
/// - output: `[1]`
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if cpu::computes(&x) {
        return cpu::sum_of_squares(x);
    }
    reference::sum_of_squares(x)
}
