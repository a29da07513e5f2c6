//! Disentangled self-attention: O = dropout(softmax((QKᵀ + c2p + p2c)/√(3d)))·V for each sequence and head.

#[cfg(feature = "flex")]
#[expect(unsafe_code, reason = "threads write to disjoint elements of one buffer")]
mod cpu;
pub(crate) mod reference;
mod relative_positions;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::attention::AttentionOptions;
use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

pub use relative_positions::RelativePositions;

/// The relative embeddings after the projections of a layer, and the positions that they belong to.
///
/// `pos_att_type` of config.json names the terms of the scores: `c2p` (content to position) needs `key`, and `p2c`
/// (position to content) needs `query`.
#[derive(Debug, Clone)]
pub struct RelativeProjections {
    /// The key projection PK, for c2p: Qᵢ·PKₘ with m = row(i − j).
    pub key: Option<Tensor<2>>,
    /// The query projection PQ, for p2c: Kⱼ·PQₘ with m = row(i − j).
    pub query: Option<Tensor<2>>,
    /// The row m of each distance.
    pub positions: RelativePositions,
}

impl RelativeProjections {
    /// Returns 1/√(d·(1 + number of terms)), the scale of the scores of heads with d columns.
    fn scale(&self, width: usize) -> f64 {
        let terms = [&self.key, &self.query].into_iter().flatten().count();
        1.0 / (((1 + terms) * width) as f64).sqrt()
    }
}

/// Disentangled self-attention: O = dropout(softmax((QKᵀ + c2p + p2c)/√(3d)))·V for each sequence and head (He et al.,
/// 2021).
///
/// The scores of query i and key j also depend on their distance: c2p is Qᵢ·PKₘ and p2c is Kⱼ·PQₘ, where m is
/// [`RelativePositions::row`] of i − j. With only one of the terms, the scale is 1/√(2d).
///
/// Each query attends to the tokens of its own sequence. Padding rows are masked as keys, and their outputs are
/// unspecified. On the CPU, no matrix of size length² is in memory, and all gradients have a fixed order of addition.
/// On a GPU, the operation is the reference.
///
/// # Shapes
/// - `query_key_value`: `[num_tokens, 3 · hidden]`, the columns of Q, K and V one after another. Each of them consists
///   of the columns of its heads, with d = hidden / num_heads.
/// - `relative.key`, `relative.query`: `[2 · span, hidden]`
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If the shapes do not match the layout, `num_heads` or the span, the positions are invalid, the options have a
/// window, or there is neither a key
/// nor a query projection.
pub fn disentangled_attention(
    query_key_value: Tensor<2>,
    relative: RelativeProjections,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let num_heads = options.num_heads;
    let [num_tokens, columns] = query_key_value.dims();
    assert_eq!(num_tokens, layout.num_tokens(), "query_key_value must have one row per token of the layout");
    assert_eq!(columns % (3 * num_heads), 0, "{columns} columns are not a multiple of 3 · {num_heads} heads");
    assert_eq!(options.window, None, "disentangled attention has no window");
    relative.positions.check();
    let expected = [2 * relative.positions.span(), columns / 3];
    let projections = [&relative.key, &relative.query];
    assert!(
        projections.into_iter().any(Option::is_some),
        "a projection of the relative embeddings is needed"
    );
    for projection in projections.into_iter().flatten() {
        assert_eq!(projection.dims(), expected, "relative projections must be [2 · span, hidden]");
    }
    if on_cpu(&query_key_value) {
        return cpu::disentangled_attention(query_key_value, relative, layout, options);
    }
    reference::disentangled_attention(query_key_value, relative, layout, options)
}
