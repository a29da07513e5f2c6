//! Linear layers on the CPU: y = xW + b; dx = g·Wᵀ, dW = xᵀ·g, db = Σ g over the rows.

use std::iter::once;

use burn::backend::flex::FlexTensor;
use burn::backend::{DispatchTensor, Flex};
use burn::tensor::{DType, Tensor};

use crate::autodiff::custom_op;
use crate::cpu::linear::{bias_gradients, forward, input_gradient, weight_gradients};
use crate::cpu::saved_tensor::SavedTensor;
use crate::cpu::simd::Cpu;
use crate::precision::Precision;

pub(super) fn linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    precision: Precision,
) -> Tensor<2> {
    concatenated_linear::<1, 3>(x, [weight], [bias], precision)
}

pub(super) fn query_key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 3],
    biases: [Option<Tensor<1>>; 3],
    precision: Precision,
) -> Tensor<2> {
    concatenated_linear::<3, 7>(x, weights, biases, precision)
}

pub(super) fn key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 2],
    biases: [Option<Tensor<1>>; 2],
    precision: Precision,
) -> Tensor<2> {
    concatenated_linear::<2, 5>(x, weights, biases, precision)
}

/// N linear layers of one input, with concatenated outputs. M = 2 · N + 1 is the number of inputs.
///
/// Saves x if a weight needs a gradient, and the weights if x needs one.
fn concatenated_linear<const N: usize, const M: usize>(
    x: Tensor<2>,
    weights: [Tensor<2>; N],
    biases: [Option<Tensor<1>>; N],
    precision: Precision,
) -> Tensor<2> {
    let (cpu, device) = (Cpu::new(precision), x.device());
    let has_bias = biases.each_ref().map(Option::is_some);
    let biases = biases.map(|bias| bias.unwrap_or_else(|| Tensor::zeros([1], (&device, DType::F32))));
    let parameters = weights.map(Tensor::into_dispatch).into_iter().chain(biases.map(Tensor::into_dispatch));
    let inputs = once(x.into_dispatch()).chain(parameters).collect::<Vec<DispatchTensor>>();
    let inputs = <[DispatchTensor; M]>::try_from(inputs).expect("x, weights and biases");
    custom_op::<Flex, M, 2, _>(inputs, |inputs, tracked| {
        let mut inputs = inputs.into_iter();
        let x = inputs.next().expect("x");
        let weights = inputs.by_ref().take(N).collect::<Vec<_>>();
        let biases =
            inputs.zip(has_bias).map(|(bias, is_there)| is_there.then_some(bias)).collect::<Vec<_>>();
        let y = forward(cpu, &x, &weights, &biases);
        let (any_weight, any_bias) = (tracked[1..=N].contains(&true), tracked[1 + N..].contains(&true));
        let (x, weights) = (any_weight.then(|| SavedTensor::new(cpu, x)), tracked[0].then_some(weights));
        let backward_fn = move |g: FlexTensor, needed: [bool; M]| {
            let dx = weights.as_ref().map(|weights| input_gradient(cpu, &g, weights));
            let dw = x.as_ref().map(|x| weight_gradients(cpu, &x.to_fp32(cpu), &g, &needed[1..=N]));
            let db = any_bias.then(|| bias_gradients(cpu, &g, N));
            let absent = || vec![None; N];
            let mut gradients = once(dx).chain(dw.unwrap_or_else(absent)).chain(db.unwrap_or_else(absent));
            std::array::from_fn(|_| gradients.next().flatten())
        };
        (y, backward_fn)
    })
}
