//! Gradient checkpointing: the forward pass keeps only the input of each layer.
//!
//! The backward pass recomputes one layer at a time, from the last to the first. It differentiates Σ g∘y, where g is
//! the gradient of the layer's output y.

use burn::module::Module;
use burn::tensor::Tensor;
use embert_inference::{device_of, input_ids, sequence_layout};
use embert_kernels::SequenceLayout;
use embert_model::{EncoderContext, ForwardContext, ModelPart, parameters};

use crate::autodiff_leaf::autodiff_leaf;
use crate::batches::LabelledBatch;
use crate::gradients::ParameterGradients;
use crate::model::Model;
use crate::objective::Objective;

/// Adds the gradients of a batch's share of the loss. Returns that share, `[1]`. Bit-identical to one backward pass.
pub(crate) fn recomputed_gradients(
    model: &Model,
    batch: &LabelledBatch,
    objective: &Objective,
    normalizer: f64,
    pass: ForwardContext,
    gradients: &mut ParameterGradients,
) -> Tensor<1> {
    let layout = sequence_layout(&batch.tokens);
    let mut inputs = layer_inputs(model, batch, &layout, pass);
    let encoder = model.encoder();
    let layers = encoder.layers();
    let (_, below) = layers.split_last().expect("a model has layers");
    let context = encoder.context(&layout, pass);
    let mut relative_gradient = None;
    let weight = model.classifier().weight.val();
    let leaf = |values| autodiff_leaf(values, &weight);
    let mut next_leaves = || {
        let relative = context.relative.clone().map(|relative| leaf(relative.inner()));
        Leaves {
            input: leaf(inputs.pop().expect("one input for each layer")), // [num_tokens, hidden]
            context: EncoderContext { relative, ..context },
        }
    };
    let leaves = next_leaves();
    let logits = model.forward_last(leaves.input.clone(), &leaves.context); // [batch, num_labels]
    let share = objective.loss_sum(logits, &batch.targets) / normalizer; // [1]
    let mut output_gradient = backward(model, share.clone(), leaves, &mut relative_gradient, gradients);
    let lowest = lowest_trainable(model);
    let is_above_lowest = |number: usize| ModelPart::Layer(encoder.stored_layer(number)) >= lowest;
    for (number, layer) in below.iter().enumerate().rev().take_while(|(number, _)| is_above_lowest(*number)) {
        let leaves = next_leaves();
        let output = layer.forward(leaves.input.clone(), number, &leaves.context); // [num_tokens, hidden]
        let loss = weighted_sum(output, output_gradient);
        output_gradient = backward(model, loss, leaves, &mut relative_gradient, gradients);
    }
    if lowest > ModelPart::Embeddings {
        return share.inner();
    }
    if let Some((relative, gradient)) = context.relative.zip(relative_gradient) {
        accumulate(model, relative, gradient, gradients);
    }
    let ids = input_ids(&batch.tokens, &device_of(model));
    let embedded = model.embeddings().forward(ids, &layout, pass); // [num_tokens, hidden]
    accumulate(model, embedded, output_gradient, gradients);
    share.inner()
}

/// The inputs of a layer, as leaves of its autodiff graph: the hidden states, and the relative embeddings or biases
/// that all layers read.
struct Leaves<'a> {
    input: Tensor<2>,
    context: EncoderContext<'a>,
}

/// Returns the lowest trainable part. The parts below it need no gradient.
fn lowest_trainable(model: &Model) -> ModelPart {
    let trainable = parameters(model).into_iter().filter(|parameter| parameter.is_trainable);
    trainable.map(|parameter| parameter.part).min().unwrap_or(ModelPart::Head)
}

/// Returns the input of each layer, `[num_tokens, hidden]`, without autodiff.
fn layer_inputs(
    model: &Model,
    batch: &LabelledBatch,
    layout: &SequenceLayout,
    pass: ForwardContext,
) -> Vec<Tensor<2>> {
    let model = model.valid();
    let ids = input_ids(&batch.tokens, &device_of(&model));
    let embedded = model.embeddings().forward(ids, layout, pass);
    let mut inputs = vec![embedded.clone()];
    let encoder = model.encoder();
    let context = encoder.context(layout, pass);
    inputs.extend(encoder.forward_each(embedded, &context).take(encoder.layers().len() - 1));
    inputs
}

/// Returns Σ g∘y. Its gradient with respect to y is g.
fn weighted_sum(y: Tensor<2>, g: Tensor<2>) -> Tensor<1> {
    (y * Tensor::from_inner(g)).sum()
}

/// Adds the gradients of the parameters that y depends on, if they are trainable. `g` is the gradient of y.
fn accumulate(model: &Model, y: Tensor<2>, g: Tensor<2>, gradients: &mut ParameterGradients) {
    if y.is_tracked() {
        gradients.accumulate(model, weighted_sum(y, g).backward());
    }
}

/// Adds the gradients of the parameters and of the relative embeddings, and returns the gradient of `input`.
fn backward(
    model: &Model,
    loss: Tensor<1>,
    leaves: Leaves<'_>,
    relative_gradient: &mut Option<Tensor<2>>,
    gradients: &mut ParameterGradients,
) -> Tensor<2> {
    let mut computed = loss.backward();
    let input_gradient = leaves.input.grad_remove(&mut computed).expect("the input requires a gradient");
    if let Some(gradient) = leaves.context.relative.and_then(|relative| relative.grad_remove(&mut computed)) {
        *relative_gradient = Some(match relative_gradient.take() {
            Some(sum) => sum + gradient,
            None => gradient,
        });
    }
    gradients.accumulate(model, computed);
    input_gradient
}
