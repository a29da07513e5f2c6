//! Reference implementation of embeddings.

use burn::tensor::{Int, Tensor};

use crate::layout::SequenceLayout;

/// The sum of two or three embeddings for each token; see [`embeddings`](crate::embeddings).
pub fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    let positions = layout.positions().map(|position| position as i32).collect::<Vec<_>>();
    let positions = Tensor::<1, Int>::from_data(positions.as_slice(), &input_ids.device()); // [num_tokens]
    let sum = word.select(0, input_ids) + position.select(0, positions); // [num_tokens, hidden]
    match token_type {
        Some(token_type) => sum + token_type.slice(0..1), // [1, hidden]
        None => sum,
    }
}
