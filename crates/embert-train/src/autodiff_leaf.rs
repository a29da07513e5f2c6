//! A leaf of a new autodiff graph: values that get a gradient, such as parameters and the input of a recomputed layer.

use burn::tensor::Tensor;

/// Returns `values`, without autodiff, as a leaf. `like` is a tensor of the model with the settings of autodiff.
pub(crate) fn autodiff_leaf<const D: usize, const E: usize>(
    values: Tensor<D>,
    like: &Tensor<E>,
) -> Tensor<D> {
    let values = Tensor::from_inner(values);
    let values = match like.gradient_checkpointing_strategy() {
        Some(strategy) => values.with_gradient_checkpointing_strategy(strategy),
        None => values,
    };
    values.require_grad()
}
