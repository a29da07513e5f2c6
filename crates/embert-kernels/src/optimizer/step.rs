//! The numbers of one AdamW step, and what AdamW remembers between two.

use burn::tensor::Tensor;

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
