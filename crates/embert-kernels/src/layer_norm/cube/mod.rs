//! Layer normalization on Burn's GPU backends. The backward pass keeps the normalized rows and 1/√(σ² + ε) of each.

mod kernels;
mod launch;

use burn::backend::Cube;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Tensor;

use crate::autodiff::operation;
use crate::dropout::DropoutSite;
use crate::dropout::mask::Mask;
use crate::layout::SequenceLayout;

use kernels::NormKernels;
use launch::Norm;

type Values = FloatTensor<Cube>;

pub(super) fn layer_norm(
    x: Tensor<2>,
    weight: Tensor<1>,
    bias: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<2> {
    let norm = Norm { epsilon, adds: false, mask: None };
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    operation::<Cube, 3, 2, _>(inputs, |[x, weight, bias], _| {
        let (y, derivative) = normalize(x.clone(), x, weight, bias, norm);
        let derivative = move |g, _| {
            let [dx, _, dweight, dbias] = derivative(g);
            [dx, dweight, dbias]
        };
        (y, derivative)
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
    let norm = Norm { epsilon, adds: true, mask: Mask::of_rows(site, Some(layout), layout.num_tokens()) };
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), residual.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    operation::<Cube, 4, 2, _>(inputs, |[x, residual, weight, bias], _| {
        let (y, derivative) = normalize(x, residual, weight, bias, norm);
        (y, move |g, _| derivative(g))
    })
}

/// The output, and from its gradient those of x, residual, γ and β.
fn normalize(
    x: Values,
    residual: Values,
    weight: Values,
    bias: Values,
    norm: Norm,
) -> (Values, impl Fn(Values) -> [Option<Values>; 4] + Send + Sync + use<>) {
    let (y, normalized, inverse_deviation) =
        <Cube as NormKernels>::norm(x, residual, weight.clone(), bias, norm.clone());
    let derivative = move |g| {
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
    (y, derivative)
}
