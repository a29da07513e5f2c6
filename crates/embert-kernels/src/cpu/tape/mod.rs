//! The operations on the tape: each with its own derivative, keeping no more than that needs.

mod affine;
mod record;

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};

use crate::Precision;
use crate::cpu::attention::{Inputs, Kept};
use crate::cpu::flex::normalized;
use crate::cpu::layer_norm::{Norm, Normalized};
use crate::cpu::linear::{input_gradient, weight_gradients};
use crate::cpu::low_rank::LowRank;
use crate::cpu::memory::{floats, in_order, tensor};
use crate::cpu::product::Matrix;
use crate::cpu::saved::Saved;
use crate::cpu::simd::Cpu;
use crate::cpu::uninit::Uninit;
use crate::cpu::{
    Heads, Mask, TokenRows, attention, cross_entropy, dropout, embeddings, gelu, layer_norm, linear, rows,
};
use crate::extension::CpuOps;

use affine::{bias_gradient, maps_side_by_side, product};
use record::record;

impl<C: CheckpointStrategy> CpuOps for Autodiff<Flex, C> {
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let (bias, bias_node) = bias.into_parts();
        let cpu = Cpu::new(precision);
        let (y, [x_node, weight_node], derivative) = product(cpu, x, weight, Some(&bias.to_contiguous()));
        record::<C, 3>([x_node, weight_node, bias_node], y, move |g, [_, _, bias]| {
            let [dx, dw] = derivative(&g);
            [dx, dw, bias.then(|| bias_gradient(cpu, &g))]
        })
    }

    fn linear_without_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let (y, nodes, derivative) = product(Cpu::new(precision), x, weight, None);
        record::<C, 2>(nodes, y, move |g, _| derivative(&g))
    }

    fn query_key_value(
        x: FloatTensor<Self>,
        query_weight: FloatTensor<Self>,
        key_weight: FloatTensor<Self>,
        value_weight: FloatTensor<Self>,
        query_bias: FloatTensor<Self>,
        key_bias: FloatTensor<Self>,
        value_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let (weights, biases) =
            ([query_weight, key_weight, value_weight], [query_bias, key_bias, value_bias]);
        maps_side_by_side::<C, 3, 7>(x, weights, biases, precision)
    }

    fn key_value(
        x: FloatTensor<Self>,
        key_weight: FloatTensor<Self>,
        value_weight: FloatTensor<Self>,
        key_bias: FloatTensor<Self>,
        value_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        maps_side_by_side::<C, 2, 5>(x, [key_weight, value_weight], [key_bias, value_bias], precision)
    }

    fn attention(
        query_key_value: FloatTensor<Self>,
        heads: Heads,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let is_tracked = query_key_value.is_tracked();
        let (qkv, node) = query_key_value.into_parts();
        let (qkv, cpu) = (qkv.to_contiguous(), Cpu::new(precision));
        let [tokens, columns] = qkv.shape().dims();
        let (output, log_sums) = attention::forward(cpu, Inputs::of_all(floats(&qkv), &heads), &heads);
        let qkv = Saved::new(cpu, qkv, is_tracked);
        record::<C, 1>([node], tensor(output, [tokens, columns / 3]), move |g, _| {
            let qkv = qkv.tensor(cpu);
            let kept = Kept { inputs: Inputs::of_all(floats(&qkv), &heads), log_sums: &log_sums };
            [Some(tensor(attention::backward(cpu, kept, floats(&g), &heads), [tokens, columns]))]
        })
    }

    fn first_token_attention(
        query: FloatTensor<Self>,
        key_value: FloatTensor<Self>,
        heads: Heads,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let is_tracked = query.is_tracked() || key_value.is_tracked();
        let ((query, query_node), (key_value, key_value_node)) = (query.into_parts(), key_value.into_parts());
        let (query, key_value, cpu) = (query.to_contiguous(), key_value.to_contiguous(), Cpu::new(precision));
        let (first, all) = (query.shape().dims::<2>(), key_value.shape().dims::<2>());
        let inputs = Inputs::of_first(floats(&query), floats(&key_value), &heads);
        let (output, log_sums) = attention::forward(cpu, inputs, &heads);
        let key_value = Saved::new(cpu, key_value, is_tracked);
        record::<C, 2>([query_node, key_value_node], tensor(output, first), move |g, _| {
            let key_value = key_value.tensor(cpu);
            let inputs = Inputs::of_first(floats(&query), floats(&key_value), &heads);
            let kept = Kept { inputs, log_sums: &log_sums };
            let (dquery, dkey_value) = attention::backward_of_first(cpu, kept, floats(&g), &heads);
            [Some(tensor(dquery, first)), Some(tensor(dkey_value, all))]
        })
    }

    fn layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node), (bias, bias_node)) =
            (x.into_parts(), weight.into_parts(), bias.into_parts());
        let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
        let shape = x.shape().dims::<2>();
        let kept = normalized(&x, None, &weight, &bias, epsilon, None);
        let y = tensor(kept.y, shape);
        let (n, inverse_deviation) = (kept.normalized, kept.inverse_deviation);
        record::<C, 3>([x_node, weight_node, bias_node], y, move |g, _| {
            let [x, _, weight, bias] = norm_gradients(&g, &n, &inverse_deviation, &weight, &bias, None);
            [x, weight, bias]
        })
    }

    fn add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
        mask: Option<Mask>,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (residual, residual_node), (weight, weight_node), (bias, bias_node)] =
            [x, residual, weight, bias].map(|input| input.into_parts());
        let [x, residual, weight, bias] = [x, residual, weight, bias].map(|input| input.to_contiguous());
        let shape = x.shape().dims::<2>();
        let Normalized { y, normalized: n, inverse_deviation } =
            normalized(&x, Some(&residual), &weight, &bias, epsilon, mask.as_ref());
        let nodes = [x_node, residual_node, weight_node, bias_node];
        record::<C, 4>(nodes, tensor(y, shape), move |g, _| {
            norm_gradients(&g, &n, &inverse_deviation, &weight, &bias, mask.as_ref())
        })
    }

    fn bias_gelu(x: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((x, x_node), (bias, bias_node)) = (x.into_parts(), bias.into_parts());
        let (x, bias, cpu) = (x.to_contiguous(), bias.to_contiguous(), Cpu::new(Precision::Fp32));
        let shape = x.shape().dims::<2>();
        let y = gelu::forward(cpu, x.clone(), floats(&bias));
        let x = Saved::Fp32(x);
        record::<C, 2>([x_node, bias_node], y, move |g, _| {
            let mut dx = in_order(g);
            let db = gelu::backward(cpu, &x, floats(&bias), dx.storage_mut(), None);
            [Some(dx), Some(tensor(db, [shape[1]]))]
        })
    }

    fn bias_gelu_linear(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output_bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let inputs = [x, bias, weight, output_bias];
        let is_tracked = inputs.iter().any(|input| input.is_tracked());
        let [(x, x_node), (bias, bias_node), (weight, weight_node), (output_bias, output_bias_node)] =
            inputs.map(|input| input.into_parts());
        let [x, bias, weight, output_bias] =
            [x, bias, weight, output_bias].map(|input| input.to_contiguous());
        let cpu = Cpu::new(precision);
        let shape = x.shape().dims::<2>();
        let saved = Saved::new(cpu, x.clone(), is_tracked);
        let activation = gelu::forward(cpu, x, floats(&bias));
        let y = linear::forward(cpu, &activation, &weight, Some(&output_bias));
        let nodes = [x_node, bias_node, weight_node, output_bias_node];
        record::<C, 4>(nodes, y, move |g, [_, _, weight_needed, output_bias_needed]| {
            let mut dx = input_gradient(cpu, &g, &[&weight]);
            let mut activation = weight_needed.then(|| Uninit::new(dx.len()));
            let db = gelu::backward(cpu, &saved, floats(&bias), &mut dx, activation.as_mut());
            let dw = activation.and_then(|activation| {
                let activation = activation.finish();
                weight_gradients(cpu, Matrix::new(&activation, shape[0], shape[1]), &g, &[true]).pop()?
            });
            let db2 = output_bias_needed.then(|| bias_gradient(cpu, &g));
            [Some(tensor(dx, shape)), Some(tensor(db, [shape[1]])), dw, db2]
        })
    }

    fn embeddings(
        word: FloatTensor<Self>,
        position: FloatTensor<Self>,
        token_type: FloatTensor<Self>,
        rows: TokenRows,
    ) -> FloatTensor<Self> {
        let [(word, word_node), (position, position_node), (token_type, token_type_node)] =
            [word, position, token_type].map(|table| table.into_parts());
        let [word, position, token_type] = [word, position, token_type].map(|table| table.to_contiguous());
        let cpu = Cpu::new(Precision::Fp32);
        let tables = embeddings::Tables { word: &word, position: &position, token_type: &token_type };
        let y = embeddings::forward(cpu, &rows.ids, &rows.positions, &tables);
        let [words, positions, types] =
            [&word, &position, &token_type].map(|table| table.shape().dims::<2>()[0]);
        record::<C, 3>([word_node, position_node, token_type_node], y, move |g, needed| {
            let first = vec![0; rows.ids.len()]; // every token is of the first type
            let of = |rows: &[u32], table_rows| embeddings::table_gradient(cpu, floats(&g), rows, table_rows);
            [
                needed[0].then(|| of(&rows.ids, words)),
                needed[1].then(|| of(&rows.positions, positions)),
                needed[2].then(|| of(&first, types)),
            ]
        })
    }

    fn add_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f64,
        first_column: usize,
        mask: Option<Mask>,
    ) -> FloatTensor<Self> {
        let [(y, y_node), (x, x_node), (a, a_node), (b, b_node)] =
            [y, x, a, b].map(|input| input.into_parts());
        let low_rank = LowRank::new(a, b, scaling, first_column, mask);
        let x = x.to_contiguous();
        let (y, u) = low_rank.add(y, &x);
        record::<C, 4>([y_node, x_node, a_node, b_node], y, move |g, [_, x_needed, _, _]| {
            let [dx, da, db] = low_rank.backward(&g, &x, &u, x_needed);
            [Some(g), dx, da, db]
        })
    }

    fn first_tokens(x: FloatTensor<Self>, starts: Arc<[usize]>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (x, shape) = (x.to_contiguous(), x.shape().dims::<2>());
        let y = rows::select(&x, &starts);
        record::<C, 1>([node], y, move |g, _| [Some(tensor(rows::scatter(&g, &starts, shape[0]), shape))])
    }

    fn cross_entropy_sum(logits: FloatTensor<Self>, targets: FloatTensor<Self>) -> FloatTensor<Self> {
        let (logits, node) = logits.into_parts();
        let (logits, targets) = (logits.to_contiguous(), targets.into_primitive().to_contiguous());
        let (cpu, shape) = (Cpu::new(Precision::Fp32), logits.shape().dims::<2>());
        let loss = cross_entropy::sum(cpu, floats(&logits), floats(&targets), shape[1]);
        record::<C, 1>([node], tensor(vec![loss], [1]), move |g, _| {
            let (logits, targets) = (floats(&logits), floats(&targets));
            let gradient = cross_entropy::gradient(cpu, logits, targets, shape[1], floats(&g)[0]);
            [Some(tensor(gradient, shape))]
        })
    }

    fn dropout(x: FloatTensor<Self>, mask: Mask) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let apply = move |x: &FlexTensor| dropout::apply(Cpu::new(Precision::Fp32), x, &mask.keys, mask.rate);
        let y = apply(&x.to_contiguous());
        record::<C, 1>([node], y, move |g, _| [Some(apply(&g))])
    }
}

/// The gradients of x, residual, γ and β.
fn norm_gradients(
    g: &FlexTensor,
    normalized: &[f32],
    inverse_deviation: &[f32],
    weight: &FlexTensor,
    bias: &FlexTensor,
    mask: Option<&Mask>,
) -> [Option<FlexTensor>; 4] {
    let shape @ [_, hidden] = g.shape().dims::<2>();
    let mask = mask.map(|mask| (&*mask.keys, mask.rate));
    let norm = Norm { weight: floats(weight), bias: floats(bias), epsilon: 0.0, mask }; // 1/√(σ² + ε) is known
    let cpu = Cpu::new(Precision::Fp32);
    let gradients = layer_norm::backward(cpu, floats(g), normalized, inverse_deviation, norm);
    let residual = tensor(gradients.residual, shape);
    let x = gradients.x.map_or_else(|| residual.clone(), |x| tensor(x, shape));
    let (dweight, dbias) = gradients.weight_and_bias.split_at(hidden);
    let vector = |values: &[f32]| Some(tensor(values.to_vec(), [hidden]));
    [Some(x), Some(residual), vector(dweight), vector(dbias)]
}
