//! What training minimizes and evaluation measures: L = Σ losses / normalizer over the examples of an optimizer step.
//!
//! To add an objective: a kind of `Targets`, one file here, and one line in each function below and in
//! `TrainConfig::objective`.

mod single_label;

use burn::tensor::Tensor;

use crate::metrics::Metrics;
use crate::targets::Targets;
pub use single_label::SingleLabel;

/// The loss of a batch, as a sum and the number that divides it, so that several micro-batches make one mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// Each example has one label.
    SingleLabel(SingleLabel),
}

impl Objective {
    /// Returns the number that divides the sum of the losses of these targets.
    pub fn normalizer(&self, targets: &Targets) -> f64 {
        let (Self::SingleLabel(objective), Targets::Labels(labels)) = (self, targets);
        objective.normalizer(labels)
    }

    /// Returns the sum of the losses of a batch.
    ///
    /// # Shapes
    /// - `logits`: `[batch, num_labels]`
    /// - output: `[1]`
    pub fn loss_sum(&self, logits: Tensor<2>, targets: &Targets) -> Tensor<1> {
        let (Self::SingleLabel(objective), Targets::Labels(labels)) = (self, targets);
        objective.loss_sum(logits, labels)
    }
}

/// Returns the metrics of logits, one row for each target. F1, precision and recall are those of `pos_label`, if given.
pub(crate) fn metrics(logits: &[Vec<f32>], targets: &Targets, pos_label: Option<usize>) -> Metrics {
    let Targets::Labels(labels) = targets;
    Metrics::from_logits(logits, labels, pos_label)
}
