//! Reference implementation of linear layers.

use burn::tensor::{FloatDType, Tensor};

use crate::precision::Precision;

pub(super) use concatenated_linear as query_key_value;
pub(super) use concatenated_linear as key_value;

/// Linear layer: y = xW + b; see [`linear`](crate::linear).
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>, precision: Precision) -> Tensor<2> {
    let y = matmul(x, weight, precision);
    match bias {
        Some(bias) => y + bias.unsqueeze(),
        None => y,
    }
}

/// Several linear layers of one input, with concatenated outputs; see
/// [`query_key_value`](crate::query_key_value) and [`key_value`](crate::key_value).
pub fn concatenated_linear<const N: usize>(
    x: Tensor<2>,
    weights: [Tensor<2>; N],
    biases: [Option<Tensor<1>>; N],
    precision: Precision,
) -> Tensor<2> {
    let layers = weights.into_iter().zip(biases);
    Tensor::cat(layers.map(|(weight, bias)| linear(x.clone(), weight, bias, precision)).collect(), 1)
}

/// Returns x·y, with the operands rounded to this precision. Burn's product of fp32 matrices may round to TF32.
pub(crate) fn matmul<const D: usize>(x: Tensor<D>, y: Tensor<D>, precision: Precision) -> Tensor<D> {
    let (dtype, operands) = (x.dtype(), precision.dtype());
    #[cfg(feature = "cube")]
    if crate::cube::tensor_cores::needs_exact_products(&x, precision) {
        return crate::cube::exact_matmul::exact_matmul(x, y);
    }
    if operands == FloatDType::F32 {
        return x.matmul(y);
    }
    x.cast(operands).matmul(y.cast(operands)).cast(dtype)
}
