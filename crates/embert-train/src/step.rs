//! The gradients of one optimizer step: ∇ of the mean loss over all examples of its window of micro-batches.

use burn::tensor::{Device, Tensor};
use embert_inference::{device_of, input_ids, sequence_layout};
use embert_kernels::{DropoutStream, with_constant_weights};
use embert_model::ForwardContext;

use crate::batches::LabelledBatch;
use crate::clip::{clip_coefficient, global_norm};
use crate::data_parallel::{Found, data_parallel};
use crate::gradient_checkpointing::recomputed_gradients;
use crate::gradients::ParameterGradients;
use crate::model::Model;
use crate::objective::Objective;

/// How backward runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backward<'a> {
    /// Layers are recomputed in the backward pass.
    pub gradient_checkpointing: bool,
    /// The factor of the loss in the backward pass; a power of two, 1 except in fp16.
    pub loss_scale: f64,
    /// Further devices, each of which computes a share of the micro-batches.
    pub replicas: &'a [Device],
}

impl Default for Backward<'_> {
    fn default() -> Self {
        Self { gradient_checkpointing: false, loss_scale: 1.0, replicas: &[] }
    }
}

/// The gradients of one optimizer step.
#[derive(Debug)]
pub struct StepGradients {
    /// The mean loss over all examples of the window, `[1]`.
    pub loss: Tensor<1>,
    /// The global norm of the gradients, before clipping, `[1]`.
    pub grad_norm: Tensor<1>,
    /// The gradients of that loss times `loss_scale`.
    pub gradients: ParameterGradients,
    /// The factor of the loss.
    pub loss_scale: f64,
    /// Examples of the window.
    pub num_examples: usize,
    /// Tokens of the window, padding not counted.
    pub num_tokens: usize,
}

impl StepGradients {
    /// The loss and the norm, `[2]`.
    pub fn figures(&self) -> Tensor<1> {
        Tensor::cat(vec![self.loss.clone(), self.grad_norm.clone()], 0)
    }

    /// Returns the factor of the gradients: [`clip_coefficient`] / `loss_scale`, `[1]`.
    pub fn scale(&self, max_grad_norm: f64) -> Tensor<1> {
        divided(clip_coefficient(self.grad_norm.clone(), max_grad_norm), self.loss_scale)
    }
}

/// Runs the micro-batches of `window` forward and backward. Reads nothing back, so it does not wait for a GPU.
///
/// `pass` has the dropout stream of the window's first example. Each micro-batch continues the stream of the one
/// before, so the window equals one large batch, whatever its parts and devices.
///
/// # Panics
/// If `model` is not on a device with autodiff, or nothing in it requires a gradient.
pub fn step_gradients(
    model: &Model,
    window: &[LabelledBatch],
    objective: &Objective,
    pass: ForwardContext,
    backward: Backward<'_>,
) -> StepGradients {
    let weight = window.iter().map(|batch| objective.normalizer(&batch.targets)).sum::<f64>();
    let normalizer = weight / backward.loss_scale;
    let find = |model: &_, share: &[_]| found(model, share, objective, normalizer, pass, backward);
    let Found { losses, gradients } = data_parallel(model, backward.replicas, &numbered(window), find);
    StepGradients {
        loss: divided(Tensor::cat(losses, 0).sum(), backward.loss_scale),
        grad_norm: divided(global_norm(&gradients), backward.loss_scale),
        gradients,
        loss_scale: backward.loss_scale,
        num_examples: window.iter().map(|batch| batch.tokens.lengths.len()).sum(),
        num_tokens: window.iter().map(|batch| batch.tokens.num_tokens()).sum(),
    }
}

/// x / divisor, without a kernel where the divisor is 1.
fn divided(x: Tensor<1>, divisor: f64) -> Tensor<1> {
    if divisor == 1.0 { x } else { x / divisor }
}

/// A batch, and the number of examples of the window before it.
struct MicroBatch<'a> {
    batch: &'a LabelledBatch,
    first_sequence: usize,
}

fn numbered(window: &[LabelledBatch]) -> Vec<MicroBatch<'_>> {
    let mut next = 0;
    let number = |batch| {
        let micro_batch = MicroBatch { batch, first_sequence: next };
        next += batch.tokens.lengths.len();
        micro_batch
    };
    window.iter().map(number).collect()
}

/// Computes the scaled losses of micro-batches and the sum of their gradients.
fn found(
    model: &Model,
    micro_batches: &[MicroBatch<'_>],
    objective: &Objective,
    normalizer: f64,
    pass: ForwardContext,
    backward: Backward<'_>,
) -> Found {
    let mut gradients = ParameterGradients::default();
    let gradients_of = if backward.gradient_checkpointing { recomputed_gradients } else { taped_gradients };
    let mut share = |MicroBatch { batch, first_sequence }: &MicroBatch<'_>| {
        let skip = |stream: DropoutStream| DropoutStream {
            first_sequence: stream.first_sequence + first_sequence,
            ..stream
        };
        let pass = ForwardContext { dropout: pass.dropout.map(skip), ..pass };
        gradients_of(model, batch, objective, normalizer, pass, &mut gradients)
    };
    let mut run = || micro_batches.iter().map(&mut share).collect();
    // Gradient checkpointing saves memory, so it keeps no packed weights.
    let keeps_packed_weights = micro_batches.len() > 1 && !backward.gradient_checkpointing;
    let losses = if keeps_packed_weights { with_constant_weights(run) } else { run() };
    Found { losses, gradients }
}

/// Adds the gradients of a batch's share of the loss and returns that share, `[1]`.
fn taped_gradients(
    model: &Model,
    batch: &LabelledBatch,
    objective: &Objective,
    normalizer: f64,
    pass: ForwardContext,
    gradients: &mut ParameterGradients,
) -> Tensor<1> {
    let device = device_of(model);
    let ids = input_ids(&batch.tokens, &device); // [num_tokens]
    let logits = model.forward(ids, &sequence_layout(&batch.tokens), pass); // [batch, num_labels]
    let share = objective.loss_sum(logits, &batch.targets) / normalizer; // [1]
    gradients.accumulate(model, share.clone().backward());
    share.inner()
}
