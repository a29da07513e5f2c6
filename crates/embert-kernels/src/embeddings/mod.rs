//! What a token starts as: the sum of a row of each of two or three tables.

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::{Int, Tensor};

use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

/// `word[id] + position[p] + token_type[0]`; every token is of the first type, as in a classification of single texts.
/// A model without token types, such as DistilBERT, adds none.
///
/// # Shapes
/// - `input_ids`: `[num_tokens]`
/// - `word`: `[vocab_size, hidden]`, `position`: `[max_position_embeddings, hidden]`,
///   `token_type`: `[type_vocab_size, hidden]`
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If there are not as many ids as the layout has rows.
pub fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    assert_eq!(input_ids.dims(), [layout.num_tokens()], "one id for each row of the layout");
    if on_cpu(&word) {
        return cpu::embeddings(input_ids, layout, word, position, token_type);
    }
    reference::embeddings(input_ids, layout, word, position, token_type)
}
