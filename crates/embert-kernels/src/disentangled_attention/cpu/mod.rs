//! Disentangled attention on the CPU, with the tiles of [`attention`](crate::attention()).
//!
//! For each head of each sequence, only the rows of PK and PQ are used that the distances in the sequence need. A tile
//! of queries computes R = Q·PKᵀ, and adds the elements of its distances to its scores (c2p). K·PQᵀ is computed once
//! (p2c). The backward pass adds dS to the same elements of dR. Then dQ += dR·PK and dPK = dRᵀ·Q, and likewise for p2c.
//! So the memory of a thread grows with length · span, and not with length².

mod backward;
mod batch;
mod content_to_position;
mod forward;
mod position_to_content;
mod projection_gradients;
mod softmax;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::RelativeProjections;
use crate::attention::AttentionOptions;
use crate::attention::cpu::heads::{Heads, Queries};
use crate::attention::cpu::inputs::Inputs;
use crate::autodiff::custom_op;
use crate::cpu::saved_tensor::SavedTensor;
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::layout::SequenceLayout;

use batch::{Batch, Settings};

pub(super) fn disentangled_attention(
    query_key_value: Tensor<2>,
    relative: RelativeProjections,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let hidden = query_key_value.dims()[1] / 3;
    let heads = Heads::new(layout, hidden, Queries::All, options);
    let settings = Settings::new(heads, &relative);
    let cpu = Cpu::new(options.precision);
    match (relative.key, relative.query) {
        (Some(key), Some(query)) => record(cpu, settings, [query_key_value, key, query], [Some(1), Some(2)]),
        (Some(key), None) => record(cpu, settings, [query_key_value, key], [Some(1), None]),
        (None, Some(query)) => record(cpu, settings, [query_key_value, query], [None, Some(1)]),
        (None, None) => unreachable!("the caller has checked that there is a projection"),
    }
}

/// Runs the operation. The inputs are query, key and value, and the projections, whose numbers `[key, query]` has.
fn record<const N: usize>(
    cpu: Cpu,
    settings: Settings,
    inputs: [Tensor<2>; N],
    projections: [Option<usize>; 2],
) -> Tensor<2> {
    let shapes = inputs.each_ref().map(Tensor::dims);
    custom_op::<Flex, N, 2, _>(inputs.map(Tensor::into_dispatch), |values, tracked| {
        let (output, log_sum_exp) = forward::forward(cpu, &batch(&settings, &values, projections));
        let output = from_vec(output, [shapes[0][0], shapes[0][1] / 3]);
        let saved = tracked.contains(&true).then(|| values.map(|value| SavedTensor::new(cpu, value)));
        let backward_fn = move |g: FlexTensor, needed: [bool; N]| {
            let Some(saved) = &saved else { return [const { None }; N] };
            let values = saved.each_ref().map(|value| value.to_fp32(cpu));
            let batch = batch(&settings, &values, projections);
            let needed = projections.map(|input| input.is_some_and(|input| needed[input]));
            let (qkv, [key, query]) = backward::backward(cpu, &batch, &log_sum_exp, as_slice(&g), needed);
            let mut gradients = [const { None }; N];
            gradients[0] = Some(from_vec(qkv, shapes[0]));
            for (input, gradient) in projections.into_iter().zip([key, query]) {
                let Some((input, gradient)) = input.zip(gradient) else { continue };
                gradients[input] = Some(from_vec(gradient, shapes[input]));
            }
            gradients
        };
        (output, backward_fn)
    })
}

/// Returns a view of the inputs.
fn batch<'a>(settings: &'a Settings, values: &'a [FlexTensor], projections: [Option<usize>; 2]) -> Batch<'a> {
    let [relative_key, relative_query] = projections.map(|input| input.map(|input| as_slice(&values[input])));
    let inputs = Inputs::all_tokens(as_slice(&values[0]), &settings.heads);
    Batch { settings, inputs, relative_key, relative_query }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::disentangled_attention::RelativePositions;
    use crate::precision::Precision;

    fn values(len: usize, salt: usize) -> Vec<f32> {
        (0..len).map(|i| ((((i + salt * 101) * 7919) % 1013) as f32 / 506.0) - 1.0).collect()
    }

    /// The tiles of other instruction sets have other sizes.
    #[test]
    fn all_instruction_sets_compute_the_same() {
        let layout = SequenceLayout::packed(vec![40, 3, 70]);
        let options =
            AttentionOptions { num_heads: 2, window: None, dropout: None, precision: Precision::Fp32 };
        let positions = RelativePositions { position_buckets: Some(16), max_relative_positions: 48 };
        let projection = || Some(Tensor::zeros([32, 24], &Device::flex()));
        let relative = RelativeProjections { key: projection(), query: projection(), positions };
        let settings = Settings::new(Heads::new(&layout, 24, Queries::All, options), &relative);
        let inputs = [113 * 72, 32 * 24, 32 * 24, 113 * 24].map(|len| values(len, len));
        let run = |cpu: Cpu| {
            let batch = Batch {
                settings: &settings,
                inputs: Inputs::all_tokens(&inputs[0], &settings.heads),
                relative_key: Some(&inputs[1]),
                relative_query: Some(&inputs[2]),
            };
            let (output, log_sum_exp) = forward::forward(cpu, &batch);
            let (qkv, [key, query]) = backward::backward(cpu, &batch, &log_sum_exp, &inputs[3], [true; 2]);
            [Some(output), Some(qkv), key, query].map(|values| values.expect("both gradients are needed"))
        };
        let all = Cpu::all(Precision::Fp32).into_iter().map(run).collect::<Vec<_>>();
        for (expected, found) in all[1..].iter().flat_map(|found| all[0].iter().zip(found)) {
            let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            for (expected, found) in expected.iter().zip(found) {
                assert!((expected - found).abs() <= 1e-5 * largest, "{found} is not {expected}");
            }
        }
    }
}
