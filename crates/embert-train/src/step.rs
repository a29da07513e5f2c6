//! The gradients of one optimizer step: ∇ of the mean loss over its window of micro-batches.

use std::borrow::Cow;

use burn::tensor::{Device, Tensor};
use embert_inference::{device_of, input_ids, sequence_layout};
use embert_kernels::{DropoutStream, with_constant_weights};
use embert_model::ForwardContext;

use crate::batches::LabelledBatch;
use crate::clip::{clip_coefficient, global_norm};
use crate::data_parallel::{ShareGradients, data_parallel};
use crate::gradient_checkpointing::recomputed_gradients;
use crate::gradients::ParameterGradients;
use crate::model::Model;
use crate::objective::Objective;
use crate::word_rows::WordRows;

/// Options of the backward pass. Default: no checkpointing, no scaling, one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackwardOptions<'a> {
    /// Recompute each layer in the backward pass, to save memory.
    pub gradient_checkpointing: bool,
    /// The scale of the loss in the backward pass: a power of two, 1 except in fp16.
    pub loss_scale: f64,
    /// Additional devices; each computes a share of the micro-batches.
    pub replicas: &'a [Device],
}

impl Default for BackwardOptions<'_> {
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
    /// The gradients of `loss_scale · loss`.
    pub gradients: ParameterGradients,
    /// The scale of the loss.
    pub loss_scale: f64,
    /// Number of examples in the window.
    pub num_examples: usize,
    /// Number of tokens in the window, without padding.
    pub num_tokens: usize,
}

impl StepGradients {
    /// Returns the loss and the gradient norm, `[2]`, still on the device.
    pub fn loss_and_norm(&self) -> Tensor<1> {
        Tensor::cat(vec![self.loss.clone(), self.grad_norm.clone()], 0)
    }

    /// Returns the factor for [`AdamW::step`](crate::AdamW::step): [`clip_coefficient`] / `loss_scale`, `[1]`.
    pub fn scale(&self, max_grad_norm: f64) -> Tensor<1> {
        divide(clip_coefficient(self.grad_norm.clone(), max_grad_norm), self.loss_scale)
    }
}

/// Runs the micro-batches of `window` forward and backward. Does not wait for a GPU.
///
/// `pass` has the dropout stream of the first example. Each micro-batch continues the stream of the previous one, so
/// the result does not depend on the number of micro-batches and devices.
///
/// # Panics
/// If `window` is empty, `model` is not on a device with autodiff, or no parameter requires a gradient.
pub fn step_gradients(
    model: &Model,
    window: &[LabelledBatch],
    objective: &Objective,
    pass: ForwardContext,
    backward: BackwardOptions<'_>,
) -> StepGradients {
    let (objective, weight) = &normalized(objective, window);
    let normalizer = weight / backward.loss_scale;
    let compute =
        |model: &_, share: &[_]| share_gradients(model, share, objective, normalizer, pass, backward);
    let micro_batches = micro_batches(window);
    let ShareGradients { losses, gradients } =
        data_parallel(model, backward.replicas, &micro_batches, compute);
    StepGradients {
        loss: divide(Tensor::cat(losses, 0).sum(), backward.loss_scale),
        grad_norm: divide(global_norm(&gradients), backward.loss_scale),
        gradients,
        loss_scale: backward.loss_scale,
        num_examples: window.iter().map(|batch| batch.tokens.lengths.len()).sum(),
        num_tokens: window.iter().map(|batch| batch.tokens.num_tokens()).sum(),
    }
}

/// Returns the objective and the normalizer of a window.
///
/// If the classes of all its examples have weight 0, the loss and its gradients are 0. PyTorch returns NaN.
fn normalized<'a>(objective: &'a Objective, window: &[LabelledBatch]) -> (Cow<'a, Objective>, f64) {
    match window.iter().map(|batch| objective.normalizer(&batch.targets)).sum::<f64>() {
        0.0 => (Cow::Owned(objective.without_weights()), 1.0),
        weight => (Cow::Borrowed(objective), weight),
    }
}

/// Returns x / divisor, without a kernel if the divisor is 1.
fn divide(x: Tensor<1>, divisor: f64) -> Tensor<1> {
    if divisor == 1.0 { x } else { x / divisor }
}

/// A batch, and the number of examples before it in the window.
struct MicroBatch<'a> {
    batch: &'a LabelledBatch,
    first_sequence: usize,
}

fn micro_batches(window: &[LabelledBatch]) -> Vec<MicroBatch<'_>> {
    let mut next = 0;
    let micro_batch = |batch| {
        let micro_batch = MicroBatch { batch, first_sequence: next };
        next += batch.tokens.lengths.len();
        micro_batch
    };
    window.iter().map(micro_batch).collect()
}

/// Computes the scaled losses of micro-batches and the sum of their gradients.
fn share_gradients(
    model: &Model,
    micro_batches: &[MicroBatch<'_>],
    objective: &Objective,
    normalizer: f64,
    pass: ForwardContext,
    backward: BackwardOptions<'_>,
) -> ShareGradients {
    let mut gradients = ParameterGradients::default();
    let gradients_of = if backward.gradient_checkpointing { recomputed_gradients } else { taped_gradients };
    let mut share = |MicroBatch { batch, first_sequence }: &MicroBatch<'_>| {
        let skip = |stream: DropoutStream| DropoutStream {
            first_sequence: stream.first_sequence + first_sequence,
            ..stream
        };
        let pass = ForwardContext { dropout: pass.dropout.map(skip), ..pass };
        let WordRows { model, batch, rows } = WordRows::read_by(batch, model);
        gradients.set_word_rows(rows);
        gradients_of(&model, &batch, objective, normalizer, pass, &mut gradients)
    };
    let mut run = || micro_batches.iter().map(&mut share).collect();
    // Packed weights take memory, which gradient checkpointing is meant to save.
    let keeps_packed_weights = micro_batches.len() > 1 && !backward.gradient_checkpointing;
    let losses = if keeps_packed_weights { with_constant_weights(run) } else { run() };
    ShareGradients { losses, gradients }
}

/// Adds the gradients of a batch's share of the loss. Returns that share, `[1]`.
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
