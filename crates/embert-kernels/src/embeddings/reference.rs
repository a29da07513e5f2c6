//! Reference implementation of embeddings.

use burn::tensor::{Int, Tensor};

use crate::layout::SequenceLayout;

/// The sum of two or three embeddings for each token; see [`embeddings`](crate::embeddings).
pub fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    first_position: usize,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    let positions = layout.positions().map(|position| (first_position + position) as i32).collect::<Vec<_>>();
    let positions = Tensor::<1, Int>::from_data(positions.as_slice(), &input_ids.device()); // [num_tokens]
    let sum = word.select(0, input_ids) + position.select(0, positions); // [num_tokens, hidden]
    match token_type {
        Some(token_type) => sum + of_types(token_type, layout),
        None => sum,
    }
}

/// The token type embedding of each row, `[num_tokens, hidden]`, or one for all rows, `[1, hidden]`.
fn of_types(token_type: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    match layout.token_types() {
        Some(types) => {
            let types = types.map(|token_type| token_type as i32).collect::<Vec<_>>();
            let types = Tensor::<1, Int>::from_data(types.as_slice(), &token_type.device());
            token_type.select(0, types)
        }
        None => token_type.slice(0..1),
    }
}
