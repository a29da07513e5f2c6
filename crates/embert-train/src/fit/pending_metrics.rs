//! Losses and gradient norms that are still on the device. Reading them waits for a GPU, so one read covers many steps.

use burn::tensor::Tensor;

use crate::error::TrainError;
use crate::log_entry::StepLog;
use crate::step::StepGradients;

/// The metrics of one step.
pub(super) struct PendingMetrics {
    /// Loss and gradient norm, `[2]`.
    loss_and_norm: Tensor<1>,
    step: usize,
    epoch: f64,
    learning_rate: f64,
    pub(super) num_examples: usize,
    pub(super) num_tokens: usize,
    rows: Vec<usize>,
}

impl PendingMetrics {
    pub(super) fn new(
        gradients: &StepGradients,
        step: usize,
        epoch: f64,
        learning_rate: f64,
        rows: &[usize],
    ) -> Self {
        Self {
            loss_and_norm: gradients.loss_and_norm(),
            step,
            epoch,
            learning_rate,
            num_examples: gradients.num_examples,
            num_tokens: gradients.num_tokens,
            rows: rows.to_vec(),
        }
    }

    /// Returns the log line of the step.
    pub(super) fn log(&self, &[loss, grad_norm]: &[f64; 2], tokens_per_second: f64) -> StepLog {
        let Self { step, epoch, learning_rate, .. } = *self;
        StepLog { step, epoch, loss, grad_norm, learning_rate, tokens_per_second }
    }

    pub(super) fn diverged(&self, &[loss, grad_norm]: &[f64; 2]) -> TrainError {
        let Self { step, learning_rate, .. } = *self;
        TrainError::Diverged { step, loss, grad_norm, learning_rate, rows: self.rows.clone() }
    }
}

/// Reads the loss and the gradient norm of each step. Waits for the device.
pub(super) fn read(steps: &[PendingMetrics]) -> Vec<[f64; 2]> {
    let loss_and_norm = steps.iter().map(|step| step.loss_and_norm.clone()).collect();
    let loss_and_norm = Tensor::cat(loss_and_norm, 0).into_data().iter::<f64>().collect::<Vec<_>>();
    loss_and_norm.as_chunks().0.to_vec()
}
