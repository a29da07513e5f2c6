//! What an optimizer does to all parameters: one sweep for the norm of the gradients, one for the step. Nothing is read
//! back from the device.

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
mod step;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;

pub use step::{AdamWStep, Moments};

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
    if on_cpu(&values) {
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
    if on_cpu(&x) {
        return cpu::sum_of_squares(x);
    }
    reference::sum_of_squares(x)
}
