//! Gathers the row of each sequence's first token.

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

/// Gathers the row of each sequence's first token, `[CLS]`.
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - output: `[batch, hidden]`
///
/// # Panics
/// If the rows do not match the layout, or a sequence is empty.
pub fn first_tokens(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    assert_eq!(x.dims()[0], layout.num_tokens(), "x must have one row per token of the layout");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence must have a first token");
    if on_cpu(&x) {
        return cpu::first_tokens(x, layout);
    }
    reference::first_tokens(x, layout)
}
