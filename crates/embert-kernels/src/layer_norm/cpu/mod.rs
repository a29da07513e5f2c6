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

use backward::{NormGradients, Saved};
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
            let [dx, _, _, dweight, dbias] = backward_fn(&g, false);
            [dx, dweight, dbias]
        };
        (y, backward_fn)
    })
}

pub(super) fn add_layer_norm(
    [x, residual]: [Tensor<2>; 2],
    x_bias: Option<Tensor<1>>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
    layout: &SequenceLayout,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    let mask = Mask::of_rows(site, Some(layout), x.dims()[0]);
    let [x_bias, bias] = [x_bias, bias].map(|bias| bias.unwrap_or_else(|| weight.zeros_like()));
    let [x, residual] = [x, residual].map(Tensor::into_dispatch);
    let [x_bias, weight, bias] = [x_bias, weight, bias].map(Tensor::into_dispatch);
    let inputs = [x, residual, x_bias, weight, bias];
    custom_op::<Flex, 5, 2, _>(inputs, |[x, residual, x_bias, weight, bias], _| {
        let (y, backward_fn) = normalize(&x, Some([&residual, &x_bias]), weight, &bias, epsilon, mask);
        (y, move |g: FlexTensor, [_, _, of_x_bias, _, _]: [bool; 5]| backward_fn(&g, of_x_bias))
    })
}

/// Returns the output and the backward function. `added` are the residual and the bias of x. The backward function
/// returns the gradients of x, the residual, the bias of x if its flag is set, γ and β.
fn normalize(
    x: &FlexTensor,
    added: Option<[&FlexTensor; 2]>,
    weight: FlexTensor,
    bias: &FlexTensor,
    epsilon: f64,
    mask: Option<Mask>,
) -> (FlexTensor, impl Fn(&FlexTensor, bool) -> [Option<FlexTensor>; 5] + Send + Sync + use<>) {
    let (cpu, shape @ [_, hidden]) = (Cpu::fp32(), x.shape().dims::<2>());
    let (bias, epsilon) = (as_slice(bias), epsilon as f32);
    let norm = Norm { weight: as_slice(&weight), bias, epsilon, mask: mask.as_ref() };
    let added = added.map(|added| added.map(as_slice));
    let Normalized { y, normalized, inverse_deviation } = forward::forward(cpu, as_slice(x), added, norm);
    let backward_fn = move |g: &FlexTensor, sums_dx: bool| {
        let saved = Saved { normalized: &normalized, inverse_deviation: &inverse_deviation };
        let (weight, mask) = (as_slice(&weight), mask.as_ref());
        let NormGradients { x, residual, sums } =
            backward::backward(cpu, as_slice(g), saved, weight, mask, sums_dx);
        let residual = from_vec(residual, shape);
        let x = x.map_or_else(|| residual.clone(), |x| from_vec(x, shape));
        let mut sums = sums.chunks(hidden).map(|sums| from_vec(sums.to_vec(), [hidden]));
        let [dweight, dbias, dx_bias] = std::array::from_fn(|_| sums.next());
        [Some(x), Some(residual), dx_bias, dweight, dbias]
    };
    (from_vec(y, shape), backward_fn)
}
