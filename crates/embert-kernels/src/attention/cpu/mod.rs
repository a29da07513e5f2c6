//! Attention on the CPU: O = dropout(softmax(QKᵀ/√d))·V, with one task for each head of each sequence.
//!
//! Scores are transposed: `[keys, queries]` for a tile of queries. So the softmax runs down the columns
//! without a sum across a SIMD vector. The tile is also the right operand of the product with Vᵀ, without a
//! transpose. The backward pass needs the inputs and the log-sum-exp of each query and head.
//!
//! With a window, a tile of queries multiplies only the panels of keys that its windows contain. The scores of the other
//! keys in these panels become −∞.

pub(crate) mod backward;
pub(crate) mod forward;
pub(crate) mod head_output;
pub(crate) mod heads;
pub(crate) mod inputs;
pub(crate) mod packed_operand;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::AttentionOptions;
use crate::autodiff::custom_op;
use crate::cpu::saved_tensor::SavedTensor;
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::layout::SequenceLayout;

use backward::SavedForBackward;
use heads::{Heads, Queries};
use inputs::Inputs;

pub(super) fn attention(
    query_key_value: Tensor<2>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let [tokens, columns] = query_key_value.dims();
    let heads = Heads::new(layout, columns / 3, Queries::All, options);
    custom_op::<Flex, 1, 2, _>([query_key_value.into_dispatch()], |[qkv], [is_tracked]| {
        let cpu = Cpu::new(options.precision);
        let (output, log_sum_exp) = forward::forward(cpu, Inputs::all_tokens(as_slice(&qkv), &heads), &heads);
        let qkv = is_tracked.then(|| SavedTensor::new(cpu, qkv));
        let backward_fn = move |g: FlexTensor, _| {
            let Some(qkv) = &qkv else { return [None] };
            let qkv = qkv.to_fp32(cpu);
            let saved = SavedForBackward {
                inputs: Inputs::all_tokens(as_slice(&qkv), &heads),
                log_sum_exp: &log_sum_exp,
            };
            [Some(from_vec(backward::backward(cpu, saved, as_slice(&g), &heads), [tokens, columns]))]
        };
        (from_vec(output, [tokens, columns / 3]), backward_fn)
    })
}

pub(super) fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let (first @ [_, hidden], all) = (query.dims(), key_value.dims());
    let heads = Heads::new(layout, hidden, Queries::First, options);
    let inputs = [query.into_dispatch(), key_value.into_dispatch()];
    custom_op::<Flex, 2, 2, _>(inputs, |[query, key_value], tracked| {
        let cpu = Cpu::new(options.precision);
        let inputs = Inputs::first_tokens(as_slice(&query), as_slice(&key_value), &heads);
        let (output, log_sum_exp) = forward::forward(cpu, inputs, &heads);
        let key_value = tracked.contains(&true).then(|| SavedTensor::new(cpu, key_value));
        let backward_fn = move |g: FlexTensor, _| {
            let Some(key_value) = &key_value else { return [None, None] };
            let key_value = key_value.to_fp32(cpu);
            let inputs = Inputs::first_tokens(as_slice(&query), as_slice(&key_value), &heads);
            let saved = SavedForBackward { inputs, log_sum_exp: &log_sum_exp };
            let (dquery, dkey_value) = backward::backward_first_token(cpu, saved, as_slice(&g), &heads);
            [Some(from_vec(dquery, first)), Some(from_vec(dkey_value, all))]
        };
        (from_vec(output, first), backward_fn)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precision::Precision;

    /// Panels have 6 or 8 rows, and tiles 2 vectors of queries, so a window meets their borders elsewhere.
    #[test]
    fn every_instruction_set_attends_to_the_same_window() {
        let value = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let layout = SequenceLayout::packed(vec![77, 1, 40]);
        let qkv = (0..118 * 3 * 20).map(value).collect::<Vec<_>>();
        let gradient = (0..118 * 20).map(value).collect::<Vec<_>>();
        for window in [0, 5, 21, 76] {
            let precision = Precision::Fp32;
            let options = AttentionOptions { num_heads: 2, window: Some(window), dropout: None, precision };
            let heads = Heads::new(&layout, 20, Queries::All, options);
            let results = Cpu::all(precision).into_iter().map(|cpu| {
                let inputs = Inputs::all_tokens(&qkv, &heads);
                let (output, log_sum_exp) = forward::forward(cpu, inputs, &heads);
                let saved = SavedForBackward { inputs, log_sum_exp: &log_sum_exp };
                [output, backward::backward(cpu, saved, &gradient, &heads)].concat()
            });
            let results = results.collect::<Vec<_>>();
            for (expected, found) in results[1..].iter().flat_map(|found| results[0].iter().zip(found)) {
                assert!((expected - found).abs() < 1e-5, "window {window}: {found} is not {expected}");
            }
        }
    }
}
