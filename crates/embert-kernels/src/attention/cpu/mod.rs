//! Attention on the CPU: O = dropout(softmax(QKᵀ/√d))·V, each head of each sequence on one thread.
//!
//! Scores are transposed, `[keys, queries]` for a tile of queries: the softmax then runs down the columns without any
//! sum across a vector, and the tile is the right operand of the product with Vᵀ without being moved. Kept for the backward
//! pass are the inputs and the log-sum-exp of each query and head.

mod backward;
mod forward;
mod heads;
mod inputs;
mod output;
mod tile;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use crate::autodiff::operation;
use crate::cpu::saved::Saved;
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{floats, tensor};
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;
use crate::precision::Precision;

use backward::Kept;
use heads::{Heads, Queries};
use inputs::Inputs;

pub(super) fn attention(
    query_key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let [tokens, columns] = query_key_value.dims();
    let heads = Heads::new(layout, num_heads, columns / 3, Queries::All, site);
    operation::<Flex, 1, 2, _>([query_key_value.into_dispatch()], |[qkv], [is_tracked]| {
        let cpu = Cpu::new(precision);
        let (output, log_sums) = forward::forward(cpu, Inputs::of_all(floats(&qkv), &heads), &heads);
        let qkv = is_tracked.then(|| Saved::new(cpu, qkv));
        let derivative = move |g: FlexTensor, _| {
            let Some(qkv) = &qkv else { return [None] };
            let qkv = qkv.tensor(cpu);
            let kept = Kept { inputs: Inputs::of_all(floats(&qkv), &heads), log_sums: &log_sums };
            [Some(tensor(backward::backward(cpu, kept, floats(&g), &heads), [tokens, columns]))]
        };
        (tensor(output, [tokens, columns / 3]), derivative)
    })
}

pub(super) fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    layout: &SequenceLayout,
    num_heads: usize,
    site: Option<DropoutSite>,
    precision: Precision,
) -> Tensor<2> {
    let (first @ [_, hidden], all) = (query.dims(), key_value.dims());
    let heads = Heads::new(layout, num_heads, hidden, Queries::First, site);
    let inputs = [query.into_dispatch(), key_value.into_dispatch()];
    operation::<Flex, 2, 2, _>(inputs, |[query, key_value], tracked| {
        let cpu = Cpu::new(precision);
        let inputs = Inputs::of_first(floats(&query), floats(&key_value), &heads);
        let (output, log_sums) = forward::forward(cpu, inputs, &heads);
        let key_value = tracked.contains(&true).then(|| Saved::new(cpu, key_value));
        let derivative = move |g: FlexTensor, _| {
            let Some(key_value) = &key_value else { return [None, None] };
            let key_value = key_value.tensor(cpu);
            let inputs = Inputs::of_first(floats(&query), floats(&key_value), &heads);
            let kept = Kept { inputs, log_sums: &log_sums };
            let (dquery, dkey_value) = backward::backward_of_first(cpu, kept, floats(&g), &heads);
            [Some(tensor(dquery, first)), Some(tensor(dkey_value, all))]
        };
        (tensor(output, first), derivative)
    })
}
