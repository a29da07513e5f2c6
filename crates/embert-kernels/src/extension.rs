//! The operations that Burn's CPU backend (`Flex`) computes with code of ours, with and without a tape.
//!
//! Tensors are fp32; what is not in this list runs as its reference.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use crate::Precision;
use crate::cpu::{Heads, Mask, TokenRows};

#[backend_extension(Flex, Autodiff)]
pub(crate) trait CpuOps: Backend {
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn linear_without_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn query_key_value(
        x: FloatTensor<Self>,
        query_weight: FloatTensor<Self>,
        key_weight: FloatTensor<Self>,
        value_weight: FloatTensor<Self>,
        query_bias: FloatTensor<Self>,
        key_bias: FloatTensor<Self>,
        value_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn key_value(
        x: FloatTensor<Self>,
        key_weight: FloatTensor<Self>,
        value_weight: FloatTensor<Self>,
        key_bias: FloatTensor<Self>,
        value_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn attention(query_key_value: FloatTensor<Self>, heads: Heads, precision: Precision)
    -> FloatTensor<Self>;

    fn first_token_attention(
        query: FloatTensor<Self>,
        key_value: FloatTensor<Self>,
        heads: Heads,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    fn add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
        mask: Option<Mask>,
    ) -> FloatTensor<Self>;

    fn bias_gelu(x: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;

    fn bias_gelu_linear(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn embeddings(
        word: FloatTensor<Self>,
        position: FloatTensor<Self>,
        token_type: FloatTensor<Self>,
        rows: TokenRows,
    ) -> FloatTensor<Self>;

    fn add_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f64,
        first_column: usize,
        mask: Option<Mask>,
    ) -> FloatTensor<Self>;

    fn first_tokens(x: FloatTensor<Self>, starts: Arc<[usize]>) -> FloatTensor<Self>;

    fn cross_entropy_sum(logits: FloatTensor<Self>, targets: FloatTensor<Self>) -> FloatTensor<Self>;

    fn dropout(x: FloatTensor<Self>, mask: Mask) -> FloatTensor<Self>;
}
