//! L = −Σ T · log softmax(x).

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;

/// L = −Σ T · log softmax(x): the sum of the cross-entropies of a batch, not yet divided.
///
/// # Shapes
/// - `logits` (x): `[batch, num_labels]`
/// - `targets` (T): `[batch, num_labels]`, how much each label's log-probability counts; constants without a gradient
/// - output: `[1]`
pub fn cross_entropy_sum(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    assert_eq!(logits.dims(), targets.dims(), "a target for each logit");
    if on_cpu(&logits) {
        return cpu::cross_entropy_sum(logits, targets);
    }
    reference::cross_entropy_sum(logits, targets)
}
