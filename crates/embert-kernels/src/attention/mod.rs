//! Self-attention: O = dropout(softmax(QKᵀ/√d))·V for each sequence and head (Vaswani et al., 2017).

#[cfg(feature = "flex")]
#[expect(unsafe_code, reason = "threads write disjoint columns of one buffer")]
mod cpu;
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

/// O = dropout(softmax(QKᵀ/√d))·V for each sequence and head; a query sees the tokens of its own sequence
/// (Vaswani et al., 2017).
///
/// # Shapes
/// - `query_key_value`: `[num_tokens, 3 · hidden]`, Q, K and V side by side, the heads of each side by side,
///   d = hidden / num_heads
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If `hidden` is not a multiple of `num_heads`, or the rows are not those of the layout.
pub fn attention(
    query_key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let [num_tokens, columns] = query_key_value.dims();
    assert_eq!(num_tokens, layout.num_tokens(), "one row for each token of the layout");
    assert_eq!(columns % (3 * num_heads), 0, "{columns} columns are not three times {num_heads} heads");
    if on_cpu(&query_key_value) {
        return cpu::attention(query_key_value, layout, num_heads, site, precision);
    }
    if on_gpu(&query_key_value) {
        return cube::attention(query_key_value, layout, num_heads, site, precision);
    }
    reference::attention(query_key_value, layout, num_heads, site, precision)
}

/// [`attention`] of each sequence's first token alone, `[CLS]`: all that a classifier reads of the last layer. Keys and
/// values are those of all tokens.
///
/// # Shapes
/// - `query`: `[batch, hidden]`
/// - `key_value`: `[num_tokens, 2 · hidden]`, K and V side by side, the heads of each side by side
/// - output: `[batch, hidden]`: the rows that [`attention`] gives those tokens
///
/// # Panics
/// If `hidden` is not a multiple of `num_heads`, the rows are not those of the layout, or a sequence has no token.
pub fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let [rows, hidden] = query.dims();
    assert_eq!(rows, layout.batch_size(), "one query for each sequence");
    assert!(layout.lengths.iter().all(|&length| length > 0), "every sequence has a first token");
    assert_eq!(key_value.dims(), [layout.num_tokens(), 2 * hidden], "a key and a value for each token");
    assert_eq!(hidden % num_heads, 0, "{hidden} columns are not {num_heads} heads");
    if on_cpu(&query) {
        return cpu::first_token_attention(query, key_value, layout, num_heads, site, precision);
    }
    reference::first_token_attention(query, key_value, layout, num_heads, site, precision)
}
