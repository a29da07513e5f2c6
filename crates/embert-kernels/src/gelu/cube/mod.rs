//! GELU with a bias on GPUs: one kernel forward, and one backward with partial sums of the bias's gradient.
//!
//! The backward pass needs x and the bias. x can be fp32, bf16 or fp16; the formulas are computed in fp32.

mod kernels;
mod launch;

use burn::backend::Cube;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{FloatDType, Tensor};

use super::{GeluApproximation, reference};
use crate::autodiff::custom_op;
use crate::cube::exact_matmul::CubeProducts;
use crate::cube::tensor_cores::{needs_exact_products, on_tensor_cores};
use crate::linear::{WeightGradient, cast, linear};
use crate::precision::Precision;
use kernels::GeluKernels;

type CubeFloat = FloatTensor<Cube>;

/// Returns gelu(x + b). Without a bias, uses the reference.
pub(super) fn bias_gelu(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    approximation: GeluApproximation,
) -> Tensor<2> {
    let Some(bias) = bias else { return reference::bias_gelu(x, None, approximation) };
    custom_op::<Cube, 2, 2, _>([x.into_dispatch(), bias.into_dispatch()], |[x, bias], _| {
        let y = Cube::bias_gelu(x.clone(), bias.clone(), approximation);
        let backward_fn = move |g, _| {
            let (dx, dbias) = Cube::bias_gelu_backward(x.clone(), bias.clone(), g, approximation);
            [Some(dx), Some(dbias)]
        };
        (y, backward_fn)
    })
}

/// Returns gelu(x + b)·W. The backward pass computes gelu(x + b) again.
pub(super) fn bias_gelu_linear(
    x: Tensor<2>,
    bias: Option<Tensor<1>>,
    weight: Tensor<2>,
    approximation: GeluApproximation,
    precision: Precision,
) -> Tensor<2> {
    let keeps_type = precision.dtype() == FloatDType::F32 || on_tensor_cores(&x, precision);
    match bias {
        Some(bias) if keeps_type => bias_gelu_product(x, bias, weight, approximation, precision),
        bias => linear(bias_gelu(x, bias, approximation), weight, None, precision),
    }
}

/// Returns gelu(x + b)·W, with operands and result in the type of x.
fn bias_gelu_product(
    x: Tensor<2>,
    bias: Tensor<1>,
    weight: Tensor<2>,
    approximation: GeluApproximation,
    precision: Precision,
) -> Tensor<2> {
    let dtype = x.dtype();
    let exact = needs_exact_products(&x, precision);
    let matmul = if exact { Cube::exact_matmul } else { Cube::float_matmul };
    let weight_gradient = move |x: CubeFloat, g: CubeFloat| {
        if exact { matmul(Cube::float_transpose(x), g) } else { Cube::weight_gradient(x, g) }
    };
    let inputs = [x.into_dispatch(), bias.into_dispatch(), weight.into_dispatch()];
    custom_op::<Cube, 3, 2, _>(inputs, |[x, bias, weight], _| {
        let weight = cast(weight, dtype);
        let y = matmul(Cube::bias_gelu(x.clone(), bias.clone(), approximation), weight.clone());
        let backward_fn = move |g: CubeFloat, [_, _, of_weight]: [bool; 3]| {
            let activation = || Cube::bias_gelu(x.clone(), bias.clone(), approximation);
            let dweight = of_weight.then(|| weight_gradient(activation(), g.clone()));
            let g = matmul(g, Cube::float_transpose(weight.clone()));
            let (dx, dbias) = Cube::bias_gelu_backward(x.clone(), bias.clone(), g, approximation);
            [Some(dx), Some(dbias), dweight]
        };
        (y, backward_fn)
    })
}
