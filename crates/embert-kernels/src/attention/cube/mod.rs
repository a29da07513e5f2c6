//! O = dropout(softmax(QKᵀ/√d))·V, and its gradients, without a matrix of size length² in memory (Dao et al., 2022).
//!
//! A unit has a query, or in the backward pass a key, in its registers. All units of a cube read the other side together,
//! in tiles of shared memory. Kept for the backward pass are the input, the output, and a number for each head of each
//! token.

mod backward;
mod forward;
mod heads;
mod kernels;
mod launch;
mod tile;

use burn::backend::Cube;
use burn::tensor::Tensor;

use super::reference;
use crate::autodiff::operation;
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;
use crate::precision::Precision;

use heads::Heads;
use kernels::AttentionKernels;

/// The reference computes heads that are too wide for the kernels, and products of rounded operands.
pub(super) fn attention(
    query_key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let heads = Heads::new(layout, num_heads, query_key_value.dims()[1] / 3, site);
    let (Some(heads), Precision::Fp32) = (heads, precision) else {
        return reference::attention(query_key_value, layout, num_heads, site, precision);
    };
    operation::<Cube, 1, 2, _>([query_key_value.into_dispatch()], |[qkv], _| {
        let (output, log_sums) = <Cube as AttentionKernels>::attention(qkv.clone(), heads.clone());
        let kept = (qkv, output.clone(), log_sums);
        let derivative = move |g, _| {
            let (qkv, output, log_sums) = kept.clone();
            let backward = <Cube as AttentionKernels>::attention_backward;
            [Some(backward(qkv, output, log_sums, g, heads.clone()))]
        };
        (output, derivative)
    })
}
