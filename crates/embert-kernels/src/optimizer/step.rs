//! The hyperparameters of one AdamW step, and the moments that AdamW keeps.

use burn::tensor::Tensor;

use crate::table_rows::TableRows;

/// The hyperparameters of one AdamW step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// η, the learning rate.
    pub learning_rate: f64,
    /// β₁, the decay rate of the mean of the gradient.
    pub beta1: f64,
    /// β₂, the decay rate of the mean of the squared gradient.
    pub beta2: f64,
    /// ε, added to the denominator, outside the square root.
    pub epsilon: f64,
    /// λ, the decoupled weight decay.
    pub weight_decay: f64,
    /// t, the number of the step, from 1.
    pub step: i32,
}

impl AdamWStep {
    /// Returns the bias corrections 1 − β₁ᵗ and 1 − β₂ᵗ. They compensate for moments that start at 0.
    pub fn corrections(&self) -> [f64; 2] {
        [self.beta1, self.beta2].map(|beta| 1.0 - beta.powi(self.step))
    }

    /// Returns the factor of the weights, 1 − ηλ.
    pub fn kept(&self) -> f64 {
        1.0 - self.learning_rate * self.weight_decay
    }
}

/// The moments of one parameter: PyTorch's `exp_avg` and `exp_avg_sq`.
#[derive(Debug, Clone)]
pub struct Moments {
    /// m, the mean of the gradient, `[elements]`.
    pub mean: Tensor<1>,
    /// v, the mean of the squared gradient, `[elements]`.
    pub mean_of_squares: Tensor<1>,
}

/// A parameter of [`adamw_all`](crate::adamw_all), with its gradient.
#[derive(Debug, Clone)]
pub struct AdamWParameter {
    /// θ, `[elements]`.
    pub values: Tensor<1>,
    /// The gradient before it is scaled, `[elements]`.
    pub gradient: Tensor<1>,
    /// The moments before the step.
    pub moments: Moments,
    /// The hyperparameters.
    pub step: AdamWStep,
}

/// The rows of a table in one step of [`adamw_rows`](crate::adamw_rows).
#[derive(Debug, Clone, Copy)]
pub struct RowsOfStep<'a> {
    /// The rows with a gradient.
    pub gradient: &'a TableRows,
    /// The rows with moments, which contain those with a gradient.
    pub moments: &'a TableRows,
}
