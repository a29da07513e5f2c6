//! The cross-entropy loss: L = −Σ T · log softmax(x).

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;

/// The sum of the cross-entropy losses of a batch: L = −Σ T · log softmax(x).
///
/// To get the mean, as in `torch.nn.functional.cross_entropy`, divide by the number of rows.
///
/// # Shapes
/// - `logits` (x): `[batch, num_labels]`
/// - `targets` (T): `[batch, num_labels]`, the weight of each label's log-probability. They are constants and
///   get no gradient.
/// - output: `[1]`
///
/// # Panics
/// If the shapes of `logits` and `targets` differ.
pub fn cross_entropy_sum(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    assert_eq!(logits.dims(), targets.dims(), "targets must have the shape of the logits");
    if on_cpu(&logits) {
        return cpu::cross_entropy_sum(logits, targets);
    }
    reference::cross_entropy_sum(logits, targets)
}
