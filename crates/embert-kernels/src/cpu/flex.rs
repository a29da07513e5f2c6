//! The operations without a tape: inference.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::attention::Inputs;
use super::layer_norm::{Norm, Normalized};
use super::linear::{Map, matrix};
use super::low_rank::LowRank;
use super::memory::{floats, tensor};
use super::simd::Cpu;
use super::{
    Heads, Mask, TokenRows, attention, cross_entropy, dropout, embeddings, gelu, layer_norm, linear, rows,
};
use crate::Precision;
use crate::extension::CpuOps;

impl CpuOps for Flex {
    fn linear(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, precision: Precision) -> FlexTensor {
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.to_contiguous());
        linear::forward(Cpu::new(precision), &x, &weight, Some(&bias))
    }

    fn linear_without_bias(x: FlexTensor, weight: FlexTensor, precision: Precision) -> FlexTensor {
        linear::forward(Cpu::new(precision), &x.to_contiguous(), &weight.to_contiguous(), None)
    }

    fn query_key_value(
        x: FlexTensor,
        query_weight: FlexTensor,
        key_weight: FlexTensor,
        value_weight: FlexTensor,
        query_bias: FlexTensor,
        key_bias: FlexTensor,
        value_bias: FlexTensor,
        precision: Precision,
    ) -> FlexTensor {
        let weights = [query_weight, key_weight, value_weight].map(|weight| weight.to_contiguous());
        let biases = [query_bias, key_bias, value_bias].map(|bias| bias.to_contiguous());
        side_by_side(Cpu::new(precision), &x.to_contiguous(), &weights, &biases)
    }

    fn key_value(
        x: FlexTensor,
        key_weight: FlexTensor,
        value_weight: FlexTensor,
        key_bias: FlexTensor,
        value_bias: FlexTensor,
        precision: Precision,
    ) -> FlexTensor {
        let weights = [key_weight, value_weight].map(|weight| weight.to_contiguous());
        let biases = [key_bias, value_bias].map(|bias| bias.to_contiguous());
        side_by_side(Cpu::new(precision), &x.to_contiguous(), &weights, &biases)
    }

    fn attention(query_key_value: FlexTensor, heads: Heads, precision: Precision) -> FlexTensor {
        let qkv = query_key_value.to_contiguous();
        let [tokens, columns] = qkv.shape().dims();
        let inputs = Inputs::of_all(floats(&qkv), &heads);
        let (output, _) = attention::forward(Cpu::new(precision), inputs, &heads);
        tensor(output, [tokens, columns / 3])
    }

    fn first_token_attention(
        query: FlexTensor,
        key_value: FlexTensor,
        heads: Heads,
        precision: Precision,
    ) -> FlexTensor {
        let (query, key_value) = (query.to_contiguous(), key_value.to_contiguous());
        let inputs = Inputs::of_first(floats(&query), floats(&key_value), &heads);
        let (output, _) = attention::forward(Cpu::new(precision), inputs, &heads);
        tensor(output, query.shape().dims::<2>())
    }

    fn layer_norm(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, epsilon: f64) -> FlexTensor {
        let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
        tensor(normalized(&x, None, &weight, &bias, epsilon, None).y, x.shape().dims::<2>())
    }

    fn add_layer_norm(
        x: FlexTensor,
        residual: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        epsilon: f64,
        mask: Option<Mask>,
    ) -> FlexTensor {
        let [x, residual, weight, bias] = [x, residual, weight, bias].map(|tensor| tensor.to_contiguous());
        let normalized = normalized(&x, Some(&residual), &weight, &bias, epsilon, mask.as_ref());
        tensor(normalized.y, x.shape().dims::<2>())
    }

    fn bias_gelu(x: FlexTensor, bias: FlexTensor) -> FlexTensor {
        gelu::forward(Cpu::new(Precision::Fp32), x, floats(&bias.to_contiguous()))
    }

    fn bias_gelu_linear(
        x: FlexTensor,
        bias: FlexTensor,
        weight: FlexTensor,
        output_bias: FlexTensor,
        precision: Precision,
    ) -> FlexTensor {
        let activation = Self::bias_gelu(x, bias);
        Self::linear(activation, weight, output_bias, precision)
    }

    fn embeddings(
        word: FlexTensor,
        position: FlexTensor,
        token_type: FlexTensor,
        rows: TokenRows,
    ) -> FlexTensor {
        let [word, position, token_type] = [word, position, token_type].map(|table| table.to_contiguous());
        let tables = embeddings::Tables { word: &word, position: &position, token_type: &token_type };
        embeddings::forward(Cpu::new(Precision::Fp32), &rows.ids, &rows.positions, &tables)
    }

    fn add_low_rank(
        y: FlexTensor,
        x: FlexTensor,
        a: FlexTensor,
        b: FlexTensor,
        scaling: f64,
        first_column: usize,
        mask: Option<Mask>,
    ) -> FlexTensor {
        LowRank::new(a, b, scaling, first_column, mask).add(y, &x.to_contiguous()).0
    }

    fn first_tokens(x: FlexTensor, starts: Arc<[usize]>) -> FlexTensor {
        rows::select(&x.to_contiguous(), &starts)
    }

    fn cross_entropy_sum(logits: FlexTensor, targets: FlexTensor) -> FlexTensor {
        let (logits, targets) = (logits.to_contiguous(), targets.to_contiguous());
        let [_, num_labels] = logits.shape().dims();
        let cpu = Cpu::new(Precision::Fp32);
        tensor(vec![cross_entropy::sum(cpu, floats(&logits), floats(&targets), num_labels)], [1])
    }

    fn dropout(x: FlexTensor, mask: Mask) -> FlexTensor {
        dropout::apply(Cpu::new(Precision::Fp32), &x.to_contiguous(), &mask.keys, mask.rate)
    }
}

/// x·[W₀ W₁ …] + [b₀ b₁ …], `[rows, N · hidden]`.
pub(super) fn side_by_side<const N: usize>(
    cpu: Cpu,
    x: &FlexTensor,
    weights: &[FlexTensor; N],
    biases: &[FlexTensor; N],
) -> FlexTensor {
    let ([rows, _], [_, hidden]) = (x.shape().dims(), weights[0].shape().dims());
    let matrices = weights.each_ref().map(|weight| [matrix(weight)]);
    let maps: [Map; N] = std::array::from_fn(|i| Map { b: &matrices[i], bias: Some(floats(&biases[i])) });
    tensor(linear::side_by_side(cpu, matrix(x), &maps, &weights.each_ref()), [rows, N * hidden])
}

pub(super) fn normalized(
    x: &FlexTensor,
    residual: Option<&FlexTensor>,
    weight: &FlexTensor,
    bias: &FlexTensor,
    epsilon: f64,
    mask: Option<&Mask>,
) -> Normalized {
    let mask = mask.map(|mask| (&*mask.keys, mask.rate));
    let norm = Norm { weight: floats(weight), bias: floats(bias), epsilon: epsilon as f32, mask };
    layer_norm::forward(Cpu::new(Precision::Fp32), floats(x), residual.map(floats), norm)
}
