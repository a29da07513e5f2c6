//! Layer normalization on the CPU. The backward pass needs the normalized rows, and 1/√(σ² + ε) of each row.

mod backward;
mod forward;

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;

use crate::autodiff::custom_op;
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::dropout::DropoutSite;
use crate::dropout::mask::Mask;
use crate::layout::SequenceLayout;

use backward::NormGradients;
use forward::{Norm, Normalized};

pub(super) fn layer_norm(
    x: Tensor<2>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<2> {
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    custom_op::<Flex, 3, 2, _>(inputs, |[x, weight, bias], _| {
        let (y, backward_fn) = normalize(&x, None, weight, &bias, epsilon, None);
        let backward_fn = move |g: FlexTensor, _| {
            let [dx, _, dweight, dbias] = backward_fn(&g);
            [dx, dweight, dbias]
        };
        (y, backward_fn)
    })
}

pub(super) fn add_layer_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let mask = Mask::of_rows(site, Some(layout), x.dims()[0]);
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), residual.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    custom_op::<Flex, 4, 2, _>(inputs, |[x, residual, weight, bias], _| {
        let (y, backward_fn) = normalize(&x, Some(&residual), weight, &bias, epsilon, mask);
        (y, move |g: FlexTensor, _| backward_fn(&g))
    })
}

/// Returns the output and the backward function, which returns the gradients of x, residual, γ and β.
fn normalize(
    x: &FlexTensor,
    residual: Option<&FlexTensor>,
    weight: FlexTensor,
    bias: &FlexTensor,
    epsilon: f64,
    mask: Option<Mask>,
) -> (FlexTensor, impl Fn(&FlexTensor) -> [Option<FlexTensor>; 4] + Send + Sync + use<>) {
    let (cpu, shape @ [_, hidden]) = (Cpu::fp32(), x.shape().dims::<2>());
    let (bias, epsilon) = (as_slice(bias), epsilon as f32);
    let norm = Norm { weight: as_slice(&weight), bias, epsilon, mask: mask.as_ref() };
    let Normalized { y, normalized, inverse_deviation } =
        forward::forward(cpu, as_slice(x), residual.map(as_slice), norm);
    let backward_fn = move |g: &FlexTensor| {
        let (weight, mask) = (as_slice(&weight), mask.as_ref());
        let NormGradients { x, residual, weight_and_bias } =
            backward::backward(cpu, as_slice(g), &normalized, &inverse_deviation, weight, mask);
        let residual = from_vec(residual, shape);
        let x = x.map_or_else(|| residual.clone(), |x| from_vec(x, shape));
        let (dweight, dbias) = weight_and_bias.split_at(hidden);
        let [dweight, dbias] = [dweight, dbias].map(|values| from_vec(values.to_vec(), [hidden]));
        [x, residual, dweight, dbias].map(Some)
    };
    (from_vec(y, shape), backward_fn)
}
