//! Loss and gradient norm of steps, still on the device. Reading them waits for a GPU, so it is done for many steps at
//! once.

use burn::tensor::Tensor;

use crate::error::TrainError;
use crate::log_entry::StepLog;
use crate::step::StepGradients;

/// The metrics of one step.
pub(super) struct PendingMetrics {
    /// Loss and gradient norm, `[2]`.
    figures: Tensor<1>,
    step: usize,
    epoch: f64,
    learning_rate: f64,
    pub(super) num_examples: usize,
    pub(super) num_tokens: usize,
    rows: Vec<usize>,
}

impl PendingMetrics {
    pub(super) fn new(
        made: &StepGradients,
        step: usize,
        epoch: f64,
        learning_rate: f64,
        rows: &[usize],
    ) -> Self {
        Self {
            figures: made.figures(),
            step,
            epoch,
            learning_rate,
            num_examples: made.num_examples,
            num_tokens: made.num_tokens,
            rows: rows.to_vec(),
        }
    }

    /// The line of the log, once the figures are known.
    pub(super) fn log(&self, &[loss, grad_norm]: &[f64; 2], tokens_per_second: f64) -> StepLog {
        let Self { step, epoch, learning_rate, .. } = *self;
        StepLog { step, epoch, loss, grad_norm, learning_rate, tokens_per_second }
    }

    pub(super) fn diverged(&self, &[loss, grad_norm]: &[f64; 2]) -> TrainError {
        let Self { step, learning_rate, .. } = *self;
        TrainError::Diverged { step, loss, grad_norm, learning_rate, rows: self.rows.clone() }
    }
}

/// Loss and norm of each step in turn. Waits for the device.
pub(super) fn read(steps: &[PendingMetrics]) -> Vec<[f64; 2]> {
    let figures = steps.iter().map(|step| step.figures.clone()).collect();
    let figures = Tensor::cat(figures, 0).into_data().iter::<f64>().collect::<Vec<_>>();
    figures.as_chunks().0.to_vec()
}
