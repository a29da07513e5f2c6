//! Attention on GPUs, forward and backward, without a matrix of size length² in memory (FlashAttention; Dao
//! et al., 2022).
//!
//! CubeCL calls a thread a unit, a thread block a cube and a warp a plane. Each unit keeps one query in registers, or one
//! key in the backward pass. Two or four units share a wide one, and exchange their sums. All units of a cube load the
//! other operand together, in tiles of shared memory. The backward pass needs the input, the output, and one number for
//! each head of each token.
//!
//! Products in bf16, fp16 and TF32 use tensor cores where the device has them. Elsewhere they are computed in fp32. A bias is
//! added to the scores in the kernels, and has a backward kernel of its own.

mod backward;
mod bias_gradient;
mod first_token;
mod forward;
mod head_row;
mod heads;
mod kernels;
mod launch;
mod relative_bias;
mod tensor_core;
mod tile;

use burn::tensor::Tensor;

use super::{AttentionOptions, reference};
use crate::cube::tensor_cores::on_tensor_cores;
use crate::layout::SequenceLayout;
use crate::precision::to_fp32;

pub(super) use first_token::first_token_attention;

use heads::Heads;

/// Uses the reference for heads that are too wide for the kernels. Heads that do not fit tensor cores are computed in fp32.
pub(super) fn attention(
    query_key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let hidden = query_key_value.dims()[1] / 3;
    let Some(heads) = Heads::new(layout, hidden, options) else {
        return reference::attention(query_key_value, bias, layout, options);
    };
    let on_tensor_cores = on_tensor_cores(&query_key_value, options.precision);
    let has_kernel = on_tensor_cores && tensor_core::fits(hidden / options.num_heads);
    let dtype = query_key_value.dtype();
    let query_key_value = if has_kernel { query_key_value } else { to_fp32(query_key_value) }.into_dispatch();
    let output = match bias {
        None => kernels::attend([query_key_value], heads),
        Some(bias) => kernels::attend([query_key_value, to_fp32(bias).into_dispatch()], heads),
    };
    output.cast(dtype)
}
