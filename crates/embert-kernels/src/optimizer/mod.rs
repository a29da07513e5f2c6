//! The operations of an optimizer: the AdamW update and the squared norm of gradients. Neither reads back
//! from the device.

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
mod step;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;

pub use step::{AdamWStep, Moments};

/// The AdamW update, as in PyTorch (Loshchilov and Hutter, 2019).
///
/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ·(1 − ηλ) − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε), with g =
/// `gradient · gradient_scale`. The scale applies the clipping coefficient.
///
/// The CPU implementation is one threaded pass. It works in place if no other tensor shares the memory. The
/// tensors must not be on an autodiff graph.
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

/// Returns Σ x². The order of addition depends only on the length.
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
