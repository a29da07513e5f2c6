//! The operations of an optimizer: the AdamW update and the squared norm of gradients. Neither reads back
//! from the device.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod reference;
mod step;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
#[cfg(feature = "cube")]
use crate::backend::on_gpu;

pub use step::{AdamWParameter, AdamWStep, Moments, RowsOfStep};

/// The AdamW update, as in PyTorch (Loshchilov and Hutter, 2019).
///
/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ·(1 − ηλ) − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε), with g =
/// `gradient · gradient_scale`. The scale applies the clipping coefficient.
///
/// The implementations for CPUs and GPUs are one pass. They work in place if no other tensor shares the memory. The
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
    #[cfg(feature = "cube")]
    if on_gpu(&values) {
        let parameter = AdamWParameter { values, gradient, moments, step: *step };
        return cube::adamw_all(vec![parameter], gradient_scale).remove(0);
    }
    reference::adamw(values, gradient, gradient_scale, moments, step)
}

/// [`adamw`] of several parameters with one scale. Returns the new values and moments in the same order.
///
/// The GPU implementation updates several parameters in one launch, in place if no other tensor shares the memory.
///
/// # Shapes
/// - `gradient_scale`: `[1]`
pub fn adamw_all(parameters: Vec<AdamWParameter>, gradient_scale: Tensor<1>) -> Vec<(Tensor<1>, Moments)> {
    #[cfg(feature = "cube")]
    if !parameters.is_empty() && parameters.iter().all(|parameter| on_gpu(&parameter.values)) {
        return cube::adamw_all(parameters, gradient_scale);
    }
    let update = |AdamWParameter { values, gradient, moments, step }| {
        adamw(values, gradient, gradient_scale.clone(), moments, &step)
    };
    parameters.into_iter().map(update).collect()
}

/// [`adamw`] of a table of which only some rows have had a gradient, such as word embeddings: the others have no moments.
///
/// A row without moments has m = v = 0, so that AdamW only decays it. The result is that of [`adamw`] with zeros. On a CPU
/// it is equal to the bit, and needs memory and time for moments in proportion to the rows that have them.
///
/// # Shapes
/// - `parameter.values`: `[table_rows · columns]`
/// - `parameter.gradient`: `[rows.gradient · columns]`
/// - `parameter.moments`: `[rows.moments · columns]`
/// - `gradient_scale`: `[1]`
///
/// # Panics
/// If no row has a gradient, or a row is not in the table.
pub fn adamw_rows(
    parameter: AdamWParameter,
    gradient_scale: Tensor<1>,
    rows: RowsOfStep<'_>,
) -> (Tensor<1>, Moments) {
    if on_cpu(&parameter.values) {
        return cpu::adamw_rows(parameter, gradient_scale, rows);
    }
    reference::adamw_rows(parameter, gradient_scale, rows)
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
    #[cfg(feature = "cube")]
    if on_gpu(&x) {
        return cube::sum_of_squares_of(vec![x]);
    }
    reference::sum_of_squares(x)
}

/// Returns Σ x² over all tensors. The order of addition depends only on the lengths.
///
/// The GPU implementation needs few launches, however many tensors there are.
///
/// # Shapes
/// - `tensors`: `[elements]` each
/// - output: `[1]`
///
/// # Panics
/// If there is no tensor.
pub fn sum_of_squares_of(tensors: Vec<Tensor<1>>) -> Tensor<1> {
    #[cfg(feature = "cube")]
    if !tensors.is_empty() && tensors.iter().all(on_gpu) {
        return cube::sum_of_squares_of(tensors);
    }
    Tensor::cat(tensors.into_iter().map(sum_of_squares).collect(), 0).sum()
}
