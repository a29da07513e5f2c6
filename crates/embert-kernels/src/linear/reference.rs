//! Affine maps: y = xW + b.

use burn::tensor::{FloatDType, Tensor};

use crate::precision::Precision;

pub(super) use side_by_side as query_key_value;
pub(super) use side_by_side as key_value;

/// y = xW + b, or xW; see [`linear`](crate::linear).
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>, precision: Precision) -> Tensor<2> {
    let y = product(x, weight, precision);
    match bias {
        Some(bias) => y + bias.unsqueeze(),
        None => y,
    }
}

/// Several maps of one input side by side; see [`query_key_value`](crate::query_key_value) and
/// [`key_value`](crate::key_value).
pub fn side_by_side<const N: usize>(
    x: Tensor<2>,
    weights: [Tensor<2>; N],
    biases: [Option<Tensor<1>>; N],
    precision: Precision,
) -> Tensor<2> {
    let maps = weights.into_iter().zip(biases);
    Tensor::cat(maps.map(|(weight, bias)| linear(x.clone(), weight, bias, precision)).collect(), 1)
}

/// x·y with the operands in this precision.
pub(crate) fn product<const D: usize>(x: Tensor<D>, y: Tensor<D>, precision: Precision) -> Tensor<D> {
    let half = match precision {
        Precision::Fp32 => return x.matmul(y),
        Precision::Bf16 => FloatDType::BF16,
        Precision::Fp16 => FloatDType::F16,
    };
    let dtype = x.dtype();
    x.cast(half).matmul(y.cast(half)).cast(dtype)
}
