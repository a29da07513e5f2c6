//! The embeddings of tokens: the sum of the word, position and token type embeddings.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;
#[cfg(not(feature = "cube"))]
use reference as cube;

use burn::tensor::{Int, Tensor};

use crate::backend::{on_cpu, on_gpu};
use crate::layout::SequenceLayout;

/// The embeddings of tokens: `word[id] + position[first_position + p] + token_type[t]`.
///
/// Token p of a sequence reads row `first_position + p` of the position table. It is 0 in BERT. RoBERTa reserves the
/// first rows, so there it is 2. A model without a position table passes `None`.
///
/// The layout has the type t of each token: 0 in single texts and in the first text of a pair, 1 in the second. A model
/// without token types, such as DistilBERT, passes `None`; then the types of the layout have no effect.
///
/// # Shapes
/// - `input_ids`: `[num_tokens]`
/// - `word`: `[vocab_size, hidden]`, `position`: `[max_position_embeddings, hidden]`, `token_type`:
///   `[type_vocab_size, hidden]`
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If the number of ids is not the number of rows of the layout, the layout has types but `token_type` has
/// only one row, or an id or position is outside of its table. The CPU implementation checks the last; a GPU may not.
pub fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Option<Tensor<2>>,
    first_position: usize,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    assert_eq!(input_ids.dims(), [layout.num_tokens()], "input_ids must have one id per row of the layout");
    if let (Some(token_type), Some(_)) = (&token_type, &layout.first_segment_lengths) {
        assert!(token_type.dims()[0] > 1, "pairs need two token types, but the model has one");
    }
    let Some(position) = position else {
        let zeros = Tensor::zeros([1, word.dims()[1]], (&word.device(), word.dtype()));
        return embeddings(input_ids, &layout.single_tokens(), word, Some(zeros), 0, token_type);
    };
    if on_cpu(&word) {
        return cpu::embeddings(input_ids, layout, word, position, first_position, token_type);
    }
    if on_gpu(&word) {
        return cube::embeddings(input_ids, layout, word, position, first_position, token_type);
    }
    reference::embeddings(input_ids, layout, word, position, first_position, token_type)
}
