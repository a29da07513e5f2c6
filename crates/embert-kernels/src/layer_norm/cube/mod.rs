//! Layer normalization on GPUs. The backward pass needs the normalized rows, and 1/√(σ² + ε) of each row.

mod kernels;
mod launch;

use burn::backend::Cube;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Tensor;

use crate::autodiff::custom_op;
use crate::dropout::DropoutSite;
use crate::dropout::mask::Mask;
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
    let norm = NormParameters { epsilon, has_residual: false, mask: None };
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    custom_op::<Cube, 3, 2, _>(inputs, |[x, weight, bias], _| {
        let (y, backward_fn) = normalize(x.clone(), x, weight, bias, norm);
        let backward_fn = move |g, _| {
            let [dx, _, dweight, dbias] = backward_fn(g);
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
    let norm = NormParameters {
        epsilon,
        has_residual: true,
        mask: Mask::of_rows(site, Some(layout), layout.num_tokens()),
    };
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), residual.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    custom_op::<Cube, 4, 2, _>(inputs, |[x, residual, weight, bias], _| {
        let (y, backward_fn) = normalize(x, residual, weight, bias, norm);
        (y, move |g, _| backward_fn(g))
    })
}

/// Returns the output and the backward function, which returns the gradients of x, residual, γ and β.
fn normalize(
    x: CubeFloat,
    residual: CubeFloat,
    weight: CubeFloat,
    bias: CubeFloat,
    norm: NormParameters,
) -> (CubeFloat, impl Fn(CubeFloat) -> [Option<CubeFloat>; 4] + Send + Sync + use<>) {
    let (y, normalized, inverse_deviation) =
        <Cube as NormKernels>::norm(x, residual, weight.clone(), bias, norm.clone());
    let backward_fn = move |g| {
        let (normalized, inverse_deviation) = (normalized.clone(), inverse_deviation.clone());
        let (dx, dresidual, dweight, dbias) = <Cube as NormKernels>::norm_backward(
            g,
            normalized,
            inverse_deviation,
            weight.clone(),
            norm.clone(),
        );
        [dx, dresidual, dweight, dbias].map(Some)
    };
    (y, backward_fn)
}
