//! Layer normalization on GPUs. The backward pass needs the normalized rows, and 1/√(σ² + ε) of each row.

mod backward;
mod forward;
mod kernels;
mod launch;
mod team;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::Tensor;

use crate::autodiff::custom_op;
use crate::dropout::DropoutSite;
use crate::dropout::cube::SequenceMask;
use crate::layout::SequenceLayout;

use kernels::NormKernels;
use launch::NormParameters;

type CubeFloat = FloatTensor<Cube>;

pub(super) fn layer_norm(
    x: Tensor<2>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<2> {
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    custom_op::<Cube, 3, 2, _>(inputs, |[x, weight, bias], tracked| {
        let saves = tracked.contains(&true);
        let norm = NormParameters { epsilon, has_residual: false, saves, mask: None };
        let (y, backward_fn) = normalize(x, [weight.clone(), bias.clone()], weight, bias, norm);
        let backward_fn = move |g, [_, of_weight, of_bias]: [bool; 3]| {
            let [dx, _, _, dweight, dbias] = backward_fn(g, of_weight || of_bias);
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
    let mask = SequenceMask::new(site, Some(layout), layout.num_tokens());
    let [x_bias, bias] = [x_bias, bias].map(|bias| bias.unwrap_or_else(|| weight.zeros_like()));
    let [x, residual] = [x, residual].map(Tensor::into_dispatch);
    let [x_bias, weight, bias] = [x_bias, weight, bias].map(Tensor::into_dispatch);
    let inputs = [x, residual, x_bias, weight, bias];
    custom_op::<Cube, 5, 2, _>(inputs, |[x, residual, x_bias, weight, bias], tracked| {
        let norm = NormParameters { epsilon, has_residual: true, saves: tracked.contains(&true), mask };
        let (y, backward_fn) = normalize(x, [residual, x_bias], weight, bias, norm);
        (y, move |g, [_, _, weights @ ..]: [bool; 5]| backward_fn(g, weights.contains(&true)))
    })
}

/// Returns the output and the backward function. `added` are the residual and the bias of x, not read without a
/// residual. The backward function returns the gradients of x and the residual, and with its flag those of the bias of
/// x, γ and β.
fn normalize(
    x: CubeFloat,
    added: [CubeFloat; 2],
    weight: CubeFloat,
    bias: CubeFloat,
    norm: NormParameters,
) -> (CubeFloat, impl Fn(CubeFloat, bool) -> [Option<CubeFloat>; 5] + Send + Sync + use<>) {
    let (x_dtype, [residual, x_bias]) = (x.dtype(), added);
    let (y, normalized, inverse_deviation) =
        Cube::norm(x, residual, x_bias, weight.clone(), bias, norm.clone());
    let backward_fn = move |g, sums: bool| {
        let saved = (normalized.clone(), inverse_deviation.clone(), weight.clone());
        if sums {
            let (dx, dresidual, dx_bias, dweight, dbias) =
                Cube::norm_backward(g, saved.0, saved.1, saved.2, norm.clone(), x_dtype);
            return [dx, dresidual, dx_bias, dweight, dbias].map(Some);
        }
        let (dx, dresidual) = Cube::norm_input_backward(g, saved.0, saved.1, saved.2, norm.clone(), x_dtype);
        [Some(dx), Some(dresidual), None, None, None]
    };
    (y, backward_fn)
}
