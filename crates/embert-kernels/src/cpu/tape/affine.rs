//! Affine maps on the tape: y = xW + b, one alone or several of the same x side by side.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::NodeGuard;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};

use super::record::record;
use crate::Precision;
use crate::cpu::flex::side_by_side;
use crate::cpu::linear::{self, column_sums, input_gradient, matrix, weight_gradients};
use crate::cpu::memory::{floats, tensor};
use crate::cpu::saved::Saved;
use crate::cpu::simd::Cpu;

/// xW + b, and from its gradient those of x and W: each kept only where the other's gradient is wanted.
pub(super) fn product(
    cpu: Cpu,
    x: FloatTensor<Autodiff<Flex>>,
    weight: FloatTensor<Autodiff<Flex>>,
    bias: Option<&FlexTensor>,
) -> (FlexTensor, [NodeGuard; 2], impl Fn(&FlexTensor) -> [Option<FlexTensor>; 2] + Send + Sync + 'static) {
    let (x_tracked, weight_tracked) = (x.is_tracked(), weight.is_tracked());
    let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
    let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
    let y = linear::forward(cpu, &x, &weight, bias);
    let (x, weight) = (weight_tracked.then(|| Saved::new(cpu, x, true)), x_tracked.then_some(weight));
    let derivative = move |g: &FlexTensor| {
        let [rows, _] = g.shape().dims();
        let dx = weight.as_ref().map(|weight| {
            let [input, _] = weight.shape().dims();
            tensor(input_gradient(cpu, g, &[weight]), [rows, input])
        });
        let dw = x.as_ref().map(|x| weight_gradients(cpu, matrix(&x.tensor(cpu)), g, &[true]));
        [dx, dw.and_then(|mut dw| dw.pop().flatten())]
    };
    (y, [x_node, weight_node], derivative)
}

/// Σ g over the rows, `[columns]`.
pub(super) fn bias_gradient(cpu: Cpu, g: &FlexTensor) -> FlexTensor {
    let [_, columns] = g.shape().dims();
    tensor(column_sums(cpu, floats(g), columns), [columns])
}

/// N maps of one input, of which M = 2·N + 1 inputs have gradients.
pub(super) fn maps_side_by_side<C: CheckpointStrategy, const N: usize, const M: usize>(
    x: FloatTensor<Autodiff<Flex>>,
    weights: [FloatTensor<Autodiff<Flex>>; N],
    biases: [FloatTensor<Autodiff<Flex>>; N],
    precision: Precision,
) -> FloatTensor<Autodiff<Flex>> {
    let (x_tracked, any_weight) = (x.is_tracked(), weights.iter().any(|weight| weight.is_tracked()));
    let mut nodes = Vec::with_capacity(M);
    let mut values = |input: FloatTensor<Autodiff<Flex>>| {
        let (values, node) = input.into_parts();
        nodes.push(node);
        values.to_contiguous()
    };
    let (x, weights, biases) = (values(x), weights.map(&mut values), biases.map(&mut values));
    let Ok(nodes) = <[NodeGuard; M]>::try_from(nodes) else { unreachable!("x, weights and biases") };
    let cpu = Cpu::new(precision);
    let y = side_by_side(cpu, &x, &weights, &biases);
    let (x, weights) = (any_weight.then(|| Saved::new(cpu, x, true)), x_tracked.then_some(weights));
    record::<C, M>(nodes, y, move |g, needed| {
        let [rows, columns] = g.shape().dims();
        let dx = weights.as_ref().map(|weights| {
            let [input, _] = weights[0].shape().dims();
            tensor(input_gradient(cpu, &g, &weights.each_ref()), [rows, input])
        });
        let (weights_needed, biases_needed) = needed[1..].split_at(N);
        let dw = x.as_ref().map(|x| weight_gradients(cpu, matrix(&x.tensor(cpu)), &g, weights_needed));
        let db = biases_needed.contains(&true).then(|| column_sums(cpu, floats(&g), columns));
        let db = db
            .iter()
            .flat_map(|sums| sums.chunks(columns / N))
            .map(|db| Some(tensor(db.to_vec(), [db.len()])));
        let dw = dw.unwrap_or_else(|| vec![None; N]);
        let mut gradients = std::iter::once(dx).chain(dw).chain(db);
        std::array::from_fn(|_| gradients.next().flatten())
    })
}
