//! Attention on GPUs, forward and backward, without a matrix of size length² in memory (FlashAttention; Dao
//! et al., 2022).
//!
//! CubeCL calls a thread a unit and a thread block a cube. Each unit keeps one query in registers, or one key
//! in the backward pass. All units of a cube load the other operand together, in tiles of shared memory. The
//! backward pass needs the input, the output, and one number for each head of each token.

mod backward;
mod forward;
mod heads;
mod kernels;
mod launch;
mod tile;

use burn::backend::Cube;
use burn::tensor::Tensor;

use super::reference;
use crate::autodiff::custom_op;
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;
use crate::precision::Precision;

use heads::Heads;
use kernels::AttentionKernels;

/// Uses the reference for heads that are too wide for the kernels, and for bf16 and fp16 products.
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
    custom_op::<Cube, 1, 2, _>([query_key_value.into_dispatch()], |[qkv], _| {
        let (output, log_sum_exp) = <Cube as AttentionKernels>::attention(qkv.clone(), heads.clone());
        let saved = (qkv, output.clone(), log_sum_exp);
        let backward_fn = move |g, _| {
            let (qkv, output, log_sum_exp) = saved.clone();
            let backward = <Cube as AttentionKernels>::attention_backward;
            [Some(backward(qkv, output, log_sum_exp, g, heads.clone()))]
        };
        (output, backward_fn)
    })
}
