//! Mean pooling: the mean of the hidden states of each sequence's tokens.

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

/// Mean pooling: the mean of the rows of each sequence, without padding.
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - output: `[batch, hidden]`
///
/// # Panics
/// If the rows do not match the layout, or a sequence is empty.
pub fn mean_pooling(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    assert_eq!(x.dims()[0], layout.num_tokens(), "x must have one row per token of the layout");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence must have a token");
    if on_cpu(&x) {
        return cpu::mean_pooling(x, layout);
    }
    reference::mean_pooling(x, layout)
}
