//! Linear layers on GPUs: y = xW + b, with results in half precision on tensor cores, and with exact fp32 products.
//!
//! The weights of query, key and value are put side by side, so that they are one product with one gradient.

mod bias;
mod concatenate;
mod half_product;

use burn::tensor::{FloatDType, Tensor};

use super::reference::matmul;
use super::{linear as any_linear, reference};
use crate::cube::tensor_cores::on_tensor_cores;
use crate::precision::Precision;
use bias::{add_bias, add_three_biases};
use concatenate::concatenate;
use half_product::half_product;
pub(crate) use half_product::{WeightGradient, cast};

/// Returns xW + b. On tensor cores, operands and result have the type of the products.
pub(super) fn linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    precision: Precision,
) -> Tensor<2> {
    let operands = precision.dtype();
    let y = if operands == FloatDType::F32 {
        matmul(x.cast(operands), weight.cast(operands), precision) // [num_tokens, out]
    } else if on_tensor_cores(&x, precision) {
        half_product(x.cast(operands), weight)
    } else {
        return reference::linear(x, weight, bias, precision);
    };
    add_bias(y, bias)
}

/// Returns x·\[W₀ W₁ W₂\] + \[b₀ b₁ b₂\].
pub(super) fn query_key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 3],
    biases: [Option<Tensor<1>>; 3],
    precision: Precision,
) -> Tensor<2> {
    let dtype = if on_tensor_cores(&x, precision) { precision.dtype() } else { FloatDType::F32 };
    let weight = concatenate(weights, dtype); // [hidden, 3 · hidden]
    let y = any_linear(x, weight, None, precision); // [num_tokens, 3 · hidden]
    match all(biases) {
        Some(biases) => add_three_biases(y, biases),
        None => y,
    }
}

/// Returns x·\[W₀ W₁\] + \[b₀ b₁\].
pub(super) fn key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 2],
    biases: [Option<Tensor<1>>; 2],
    precision: Precision,
) -> Tensor<2> {
    let bias = all(biases).map(|biases| Tensor::cat(biases.into(), 0)); // [2 · hidden]
    any_linear(x, Tensor::cat(weights.into(), 1), bias, precision)
}

/// Returns all biases, or `None` if the layers have none.
fn all<const N: usize>(biases: [Option<Tensor<1>>; N]) -> Option<[Tensor<1>; N]> {
    let biases = biases.into_iter().collect::<Option<Vec<_>>>()?;
    biases.try_into().ok()
}
