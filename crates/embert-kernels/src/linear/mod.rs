//! Linear layers: y = xW + b, one or several with the same input.
//!
//! On GPUs with tensor cores, the results of bf16 and fp16 products stay in that type, as under `torch.autocast`. All other
//! results are fp32. The other operations of this crate take both. fp32 products are exact or round to TF32, as
//! [`Precision`] says.

#[cfg(feature = "flex")]
pub(crate) mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;
#[cfg(not(feature = "cube"))]
use reference as cube;

use burn::tensor::Tensor;

use crate::backend::{on_cpu, on_gpu};
use crate::precision::Precision;
#[cfg(feature = "cube")]
pub(crate) use cube::{WeightGradient, cast};

/// Linear layer: y = xW + b.
///
/// # Shapes
/// - `x`: `[num_tokens, in]`
/// - `weight` (W): `[in, out]`, the transpose of PyTorch's
/// - `bias` (b): `[out]`, 0 if `None`
/// - output: `[num_tokens, out]`
///
/// # Panics
/// If the shapes do not match.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>, precision: Precision) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::linear(x, weight, bias, precision);
    }
    if on_gpu(&x) {
        return cube::linear(x, weight, bias, precision);
    }
    reference::linear(x, weight, bias, precision)
}

/// The query, key and value projections of one input: x·\[W₀ W₁ W₂\] + \[b₀ b₁ b₂\].
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - `weights`: `[hidden, hidden]` each, `biases`: `[hidden]` each, 0 if `None`
/// - output: `[num_tokens, 3 · hidden]`, the columns of query, key and value
///
/// # Panics
/// If the shapes do not match.
pub fn query_key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 3],
    biases: [Option<Tensor<1>>; 3],
    precision: Precision,
) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::query_key_value(x, weights, biases, precision);
    }
    if on_gpu(&x) {
        return cube::query_key_value(x, weights, biases, precision);
    }
    reference::query_key_value(x, weights, biases, precision)
}

/// The key and value projections of one input: x·\[W₀ W₁\] + \[b₀ b₁\].
///
/// # Shapes
/// - `x`: `[num_tokens, hidden]`
/// - `weights`: `[hidden, hidden]` each, `biases`: `[hidden]` each, 0 if `None`
/// - output: `[num_tokens, 2 · hidden]`, the columns of key and value
///
/// # Panics
/// If the shapes do not match.
pub fn key_value(
    x: Tensor<2>,
    weights: [Tensor<2>; 2],
    biases: [Option<Tensor<1>>; 2],
    precision: Precision,
) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::key_value(x, weights, biases, precision);
    }
    if on_gpu(&x) {
        return cube::key_value(x, weights, biases, precision);
    }
    reference::key_value(x, weights, biases, precision)
}
