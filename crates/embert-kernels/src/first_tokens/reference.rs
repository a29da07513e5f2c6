//! Reference implementation of `first_tokens`.

use burn::tensor::{Int, Tensor};

use crate::layout::SequenceLayout;

/// Gathers the row of each sequence's first token; see [`first_tokens`](crate::first_tokens).
pub fn first_tokens(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let starts = layout.starts().into_iter().map(|start| start as i32).collect::<Vec<_>>();
    let starts = Tensor::<1, Int>::from_data(starts.as_slice(), &x.device());
    x.select(0, starts)
}
