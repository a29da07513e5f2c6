//! Multi-head self-attention: O = dropout(softmax(QKᵀ/√d + b))·V for each sequence and head, over all keys or a window.

#[cfg(feature = "flex")]
#[expect(unsafe_code, reason = "threads write to disjoint elements of one buffer")]
pub(crate) mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;
#[cfg(not(feature = "cube"))]
use reference as cube;

use burn::tensor::Tensor;

use crate::backend::{on_cpu, on_gpu};
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;
use crate::precision::Precision;

/// The settings of [`attention`] and [`first_token_attention`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionOptions {
    /// The number of heads.
    pub num_heads: usize,
    /// The window w of sliding-window attention (Beltagy et al., 2020): query i attends to key j if |i − j| ≤ w.
    /// `None` if it attends to all keys of its sequence.
    pub window: Option<usize>,
    /// The dropout of the attention probabilities.
    pub dropout: Option<DropoutSite>,
    /// The precision of the products.
    pub precision: Precision,
}

/// Multi-head self-attention: O = dropout(softmax(QKᵀ/√d + b))·V for each sequence and head (Vaswani et al.,
/// 2017). The bias b of query i and key j depends on their distance i − j (Raffel et al., 2020). It is 0 if `bias` is
/// `None`.
///
/// Each query attends to the tokens of its own sequence, or to those in its window. Padding rows are masked as keys,
/// and their outputs are unspecified. With a window, time grows with length · window. No matrix of size length² is in
/// memory.
///
/// # Shapes
/// - `query_key_value`: `[num_tokens, 3 · hidden]`, the columns of Q, K and V one after another. Each of them
///   consists of the columns of its heads, with d = hidden / num_heads.
/// - `bias`: `[2 · longest − 1, num_heads]`, with b in row i − j + longest − 1. The longest sequence of the layout has
///   `longest` tokens.
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If the number of columns is not a multiple of `3 · num_heads`, or the rows or the bias do not match the layout.
pub fn attention(
    query_key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let num_heads = options.num_heads;
    let [num_tokens, columns] = query_key_value.dims();
    assert_eq!(num_tokens, layout.num_tokens(), "query_key_value must have one row per token of the layout");
    assert_eq!(columns % (3 * num_heads), 0, "{columns} columns are not a multiple of 3 · {num_heads} heads");
    check_bias(bias.as_ref(), layout, num_heads);
    if on_cpu(&query_key_value) {
        return cpu::attention(query_key_value, bias, layout, options);
    }
    if on_gpu(&query_key_value) {
        return cube::attention(query_key_value, bias, layout, options);
    }
    reference::attention(query_key_value, bias, layout, options)
}

/// Multi-head attention with the first token (`[CLS]`) of each sequence as the only query.
///
/// A classifier reads only these rows of the last layer. Keys and values come from all tokens.
///
/// # Shapes
/// - `query`: `[batch, hidden]`
/// - `key_value`: `[num_tokens, 2 · hidden]`, the columns of K and then those of V. Each of them consists of
///   the columns of its heads.
/// - `bias`: `[2 · longest − 1, num_heads]`, as in [`attention`]
/// - output: `[batch, hidden]`, the rows that [`attention`] computes for the first tokens
///
/// # Panics
/// If `hidden` is not a multiple of `num_heads`, the shapes do not match the layout, or a sequence is empty.
pub fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let num_heads = options.num_heads;
    let [rows, hidden] = query.dims();
    assert_eq!(rows, layout.batch_size(), "query must have one row per sequence");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence must have a first token");
    assert_eq!(
        key_value.dims(),
        [layout.num_tokens(), 2 * hidden],
        "key_value must have one key and one value per token"
    );
    assert_eq!(hidden % num_heads, 0, "{hidden} columns are not a multiple of {num_heads} heads");
    check_bias(bias.as_ref(), layout, num_heads);
    if on_cpu(&query) {
        return cpu::first_token_attention(query, key_value, bias, layout, options);
    }
    if on_gpu(&query) {
        return cube::first_token_attention(query, key_value, bias, layout, options);
    }
    reference::first_token_attention(query, key_value, bias, layout, options)
}

fn check_bias(bias: Option<&Tensor<2>>, layout: &SequenceLayout, num_heads: usize) {
    let Some(bias) = bias else { return };
    let distances = (2 * layout.longest()).saturating_sub(1);
    assert_eq!(bias.dims(), [distances, num_heads], "the bias must be [2 · longest − 1, num_heads]");
}
