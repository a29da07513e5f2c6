//! The operations on Burn's GPU backends, with and without a tape: each with its own derivative, keeping no more than that
//! needs.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, backend_extension};

use super::kernels::Kernels;
use super::{Heads, Norm};

#[backend_extension(Cube, Autodiff)]
pub(crate) trait CubeOps: Backend {
    fn attention(query_key_value: FloatTensor<Self>, heads: Heads) -> FloatTensor<Self>;

    fn layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self>;

    fn add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self>;
}

type Values = FloatTensor<Cube>;

impl CubeOps for Cube {
    fn attention(query_key_value: Values, heads: Heads) -> Values {
        <Cube as Kernels>::attention(query_key_value, heads).0
    }

    fn layer_norm(x: Values, weight: Values, bias: Values, norm: Norm) -> Values {
        <Cube as Kernels>::norm(x.clone(), x, weight, bias, norm).0
    }

    fn add_layer_norm(x: Values, residual: Values, weight: Values, bias: Values, norm: Norm) -> Values {
        <Cube as Kernels>::norm(x, residual, weight, bias, norm).0
    }
}

impl<C: CheckpointStrategy> CubeOps for Autodiff<Cube, C> {
    fn attention(query_key_value: FloatTensor<Self>, heads: Heads) -> FloatTensor<Self> {
        let (query_key_value, node) = query_key_value.into_parts();
        let (output, log_sums) = <Cube as Kernels>::attention(query_key_value.clone(), heads.clone());
        match AttentionStep.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                step.finish(Attended { query_key_value, output: output.clone(), log_sums, heads }, output)
            }
            OpsKind::UnTracked(step) => step.finish(output),
        }
    }

    fn layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (weight, weight_node), (bias, bias_node)] =
            [x, weight, bias].map(|input| input.into_parts());
        let (y, kept) = Normalized::of(x.clone(), x, weight, bias, norm);
        match NormStep.prepare::<C>([x_node, weight_node, bias_node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(kept, y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }

    fn add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: Norm,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (residual, residual_node), (weight, weight_node), (bias, bias_node)] =
            [x, residual, weight, bias].map(|input| input.into_parts());
        let (y, kept) = Normalized::of(x, residual, weight, bias, norm);
        let nodes = [x_node, weight_node, bias_node, residual_node];
        match NormStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(kept, y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }
}

#[derive(Debug)]
struct AttentionStep;

/// What attention keeps: its input and output, and a number for each head of each token.
#[derive(Clone, Debug)]
struct Attended {
    query_key_value: Values,
    output: Values,
    log_sums: Values,
    heads: Heads,
}

impl Backward<Cube, 1> for AttentionStep {
    type State = Attended;

    fn backward(self, ops: Ops<Attended, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Cube>(&ops.node);
        let Attended { query_key_value, output, log_sums, heads } = ops.state;
        let [Some(input)] = ops.parents else { return };
        let gradient =
            <Cube as Kernels>::attention_backward(query_key_value, output, log_sums, gradient, heads);
        gradients.register::<Cube>(input.id, gradient);
    }
}

#[derive(Debug)]
struct NormStep;

/// What layer normalization keeps: the normalized rows, and a number for each.
#[derive(Clone, Debug)]
struct Normalized {
    normalized: Values,
    inverse_deviation: Values,
    weight: Values,
    norm: Norm,
}

impl Normalized {
    /// The output, and what is kept.
    fn of(x: Values, residual: Values, weight: Values, bias: Values, norm: Norm) -> (Values, Self) {
        let (y, normalized, inverse_deviation) =
            <Cube as Kernels>::norm(x, residual, weight.clone(), bias, norm.clone());
        (y, Self { normalized, inverse_deviation, weight, norm })
    }
}

/// Of three inputs without a residual, and of four with one.
impl<const N: usize> Backward<Cube, N> for NormStep {
    type State = Normalized;

    fn backward(self, ops: Ops<Normalized, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Cube>(&ops.node);
        let Normalized { normalized, inverse_deviation, weight, norm } = ops.state;
        let (x, residual, weight, bias) =
            <Cube as Kernels>::norm_backward(gradient, normalized, inverse_deviation, weight, norm);
        for (input, gradient) in ops.parents.into_iter().zip([x, weight, bias, residual]) {
            if let Some(input) = input {
                gradients.register::<Cube>(input.id, gradient);
            }
        }
    }
}
