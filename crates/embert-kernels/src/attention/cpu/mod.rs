//! Attention on the CPU: O = dropout(softmax(QKᵀ/√d))·V, with one task for each head of each sequence.
//!
//! Scores are transposed: `[keys, queries]` for a tile of queries. So the softmax runs down the columns
//! without a sum across a SIMD vector. The tile is also the right operand of the product with Vᵀ, without a
//! transpose. The backward pass needs the inputs and the log-sum-exp of each query and head.
//!
//! With a window, a tile of queries multiplies only the panels of keys that its windows contain. The scores of the other
//! keys in these panels become −∞. With a relative position bias, the scores of a tile begin as its biases.

pub(crate) mod backward;
pub(crate) mod forward;
pub(crate) mod head_output;
pub(crate) mod heads;
pub(crate) mod inputs;
pub(crate) mod packed_operand;
mod relative_bias;

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
use relative_bias::{DiagonalSums, RelativeBias};

pub(super) fn attention(
    query_key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let hidden = query_key_value.dims()[1] / 3;
    let (cpu, heads) = (Cpu::new(options.precision), Heads::new(layout, hidden, Queries::All, options));
    match bias {
        Some(bias) => all_tokens(cpu, heads, [query_key_value, bias]),
        None => all_tokens(cpu, heads, [query_key_value]),
    }
}

/// Runs the operation. The inputs are query, key and value, and the bias if there is one.
fn all_tokens<const N: usize>(cpu: Cpu, heads: Heads, inputs: [Tensor<2>; N]) -> Tensor<2> {
    let shapes = inputs.each_ref().map(Tensor::dims);
    let [tokens, columns] = shapes[0];
    custom_op::<Flex, N, 2, _>(inputs.map(Tensor::into_dispatch), |values, tracked| {
        let bias = values.get(1).map(|bias| RelativeBias::new(as_slice(bias), &heads));
        let inputs = Inputs { bias: bias.as_ref(), ..Inputs::all_tokens(as_slice(&values[0]), &heads) };
        let (output, log_sum_exp) = forward::forward(cpu, inputs, &heads);
        let qkv = tracked.contains(&true).then(|| SavedTensor::new(cpu, values[0].clone()));
        let backward_fn = move |g: FlexTensor, needed: [bool; N]| {
            let mut gradients = [const { None }; N];
            let Some(qkv) = &qkv else { return gradients };
            let qkv = qkv.to_fp32(cpu);
            let inputs = Inputs { bias: bias.as_ref(), ..Inputs::all_tokens(as_slice(&qkv), &heads) };
            let saved = SavedForBackward { inputs, log_sum_exp: &log_sum_exp };
            let diagonals = (needed.get(1) == Some(&true)).then(|| DiagonalSums::new(&heads));
            let dqkv = backward::backward(cpu, saved, as_slice(&g), &heads, diagonals.as_ref());
            gradients[0] = Some(from_vec(dqkv, shapes[0]));
            if let Some(diagonals) = diagonals {
                gradients[1] = Some(from_vec(diagonals.gradient(&heads), shapes[1]));
            }
            gradients
        };
        (from_vec(output, [tokens, columns / 3]), backward_fn)
    })
}

pub(super) fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let hidden = query.dims()[1];
    let (cpu, heads) = (Cpu::new(options.precision), Heads::new(layout, hidden, Queries::First, options));
    match bias {
        Some(bias) => first_tokens(cpu, heads, [query, key_value, bias]),
        None => first_tokens(cpu, heads, [query, key_value]),
    }
}

/// Runs the operation. The inputs are query, key and value, and the bias if there is one.
fn first_tokens<const N: usize>(cpu: Cpu, heads: Heads, inputs: [Tensor<2>; N]) -> Tensor<2> {
    let shapes = inputs.each_ref().map(Tensor::dims);
    custom_op::<Flex, N, 2, _>(inputs.map(Tensor::into_dispatch), |values, tracked| {
        let bias = values.get(2).map(|bias| RelativeBias::new(as_slice(bias), &heads));
        let inputs = Inputs::first_tokens(as_slice(&values[0]), as_slice(&values[1]), &heads);
        let inputs = Inputs { bias: bias.as_ref(), ..inputs };
        let (output, log_sum_exp) = forward::forward(cpu, inputs, &heads);
        let key_value = tracked.contains(&true).then(|| SavedTensor::new(cpu, values[1].clone()));
        let query = values[0].clone();
        let backward_fn = move |g: FlexTensor, needed: [bool; N]| {
            let mut gradients = [const { None }; N];
            let Some(key_value) = &key_value else { return gradients };
            let key_value = key_value.to_fp32(cpu);
            let inputs = Inputs::first_tokens(as_slice(&query), as_slice(&key_value), &heads);
            let inputs = Inputs { bias: bias.as_ref(), ..inputs };
            let saved = SavedForBackward { inputs, log_sum_exp: &log_sum_exp };
            let diagonals = (needed.get(2) == Some(&true)).then(|| DiagonalSums::new(&heads));
            let (dquery, dkey_value) =
                backward::backward_first_token(cpu, saved, as_slice(&g), &heads, diagonals.as_ref());
            gradients[0] = Some(from_vec(dquery, shapes[0]));
            gradients[1] = Some(from_vec(dkey_value, shapes[1]));
            if let Some(diagonals) = diagonals {
                gradients[2] = Some(from_vec(diagonals.gradient(&heads), shapes[2]));
            }
            gradients
        };
        (from_vec(output, shapes[0]), backward_fn)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precision::Precision;

    /// Panels have 6 or 8 rows, and tiles 2 vectors of queries, so a window meets their borders elsewhere.
    #[test]
    fn every_instruction_set_has_the_same_window_and_bias() {
        let value = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let layout = SequenceLayout::packed(vec![77, 1, 40]);
        let qkv = (0..118 * 3 * 20).map(value).collect::<Vec<_>>();
        let gradient = (0..118 * 20).map(value).collect::<Vec<_>>();
        for window in [0, 5, 21, 76] {
            let precision = Precision::Fp32;
            let options = AttentionOptions { num_heads: 2, window: Some(window), dropout: None, precision };
            let heads = Heads::new(&layout, 20, Queries::All, options);
            let bias = RelativeBias::new(&qkv[..153 * 2], &heads);
            let results = Cpu::all(precision).into_iter().map(|cpu| {
                let inputs = Inputs { bias: Some(&bias), ..Inputs::all_tokens(&qkv, &heads) };
                let (output, log_sum_exp) = forward::forward(cpu, inputs, &heads);
                let saved = SavedForBackward { inputs, log_sum_exp: &log_sum_exp };
                let diagonals = DiagonalSums::new(&heads);
                let dqkv = backward::backward(cpu, saved, &gradient, &heads, Some(&diagonals));
                [output, dqkv, diagonals.gradient(&heads)].concat()
            });
            let results = results.collect::<Vec<_>>();
            for (expected, found) in results[1..].iter().flat_map(|found| results[0].iter().zip(found)) {
                assert!((expected - found).abs() < 1e-5, "window {window}: {found} is not {expected}");
            }
        }
    }
}
