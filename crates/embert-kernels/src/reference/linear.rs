//! Affine maps: y = xW + b.

use burn::tensor::{FloatDType, Tensor};

use crate::Precision;

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
    biases: [Tensor<1>; N],
    precision: Precision,
) -> Tensor<2> {
    let maps = weights.into_iter().zip(biases);
    Tensor::cat(maps.map(|(weight, bias)| linear(x.clone(), weight, Some(bias), precision)).collect(), 1)
}

/// xW with the operands in this precision.
fn product(x: Tensor<2>, weight: Tensor<2>, precision: Precision) -> Tensor<2> {
    match precision {
        Precision::Fp32 => x.matmul(weight),
        Precision::Bf16 => {
            let dtype = x.dtype();
            x.cast(FloatDType::BF16).matmul(weight.cast(FloatDType::BF16)).cast(dtype)
        }
    }
}
