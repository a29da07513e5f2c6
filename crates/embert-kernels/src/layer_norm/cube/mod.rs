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
        let (y, backward_fn) = normalize(x, weight.clone(), weight, bias, norm);
        let backward_fn = move |g, [of_x, of_weight, of_bias]: [bool; 3]| {
            let [dx, _, dweight, dbias] = backward_fn(g, [of_x, false, of_weight, of_bias]);
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
    let mask = SequenceMask::new(site, Some(layout), layout.num_tokens());
    let bias = bias.unwrap_or_else(|| weight.zeros_like());
    let inputs = [x.into_dispatch(), residual.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
    custom_op::<Cube, 4, 2, _>(inputs, |[x, residual, weight, bias], tracked| {
        let saves = tracked.contains(&true);
        normalize(x, residual, weight, bias, NormParameters { epsilon, has_residual: true, saves, mask })
    })
}

/// Returns the output and the backward function, which returns the gradients of x, residual, γ and β.
fn normalize(
    x: CubeFloat,
    residual: CubeFloat,
    weight: CubeFloat,
    bias: CubeFloat,
    norm: NormParameters,
) -> (CubeFloat, impl Fn(CubeFloat, [bool; 4]) -> [Option<CubeFloat>; 4] + Send + Sync + use<>) {
    let x_dtype = x.dtype();
    let (y, normalized, inverse_deviation) = Cube::norm(x, residual, weight.clone(), bias, norm.clone());
    let backward_fn = move |g, [_, _, of_weight, of_bias]: [bool; 4]| {
        let saved = (normalized.clone(), inverse_deviation.clone(), weight.clone());
        if of_weight || of_bias {
            let (dx, dresidual, dweight, dbias) =
                Cube::norm_backward(g, saved.0, saved.1, saved.2, norm.clone(), x_dtype);
            return [dx, dresidual, dweight, dbias].map(Some);
        }
        let (dx, dresidual) = Cube::norm_input_backward(g, saved.0, saved.1, saved.2, norm.clone(), x_dtype);
        [Some(dx), Some(dresidual), None, None]
    };
    (y, backward_fn)
}
