//! The row of each sequence's first token.

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

/// The row of each sequence's first token, `[CLS]`.
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - output: `[batch, hidden]`
///
/// # Panics
/// If there are not as many rows as in the layout, or a sequence has no token.
pub fn first_tokens(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    assert_eq!(x.dims()[0], layout.num_tokens(), "one row for each token of the layout");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence has a first token");
    if on_cpu(&x) {
        return cpu::first_tokens(x, layout);
    }
    reference::first_tokens(x, layout)
}
