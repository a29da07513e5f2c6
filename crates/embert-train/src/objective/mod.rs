//! The training objective: L = Σ losses / normalizer over the examples of an optimizer step.
//!
//! To add an objective, add a variant of `Targets`, a file here, and a line in each function below and in
//! `TrainConfig::objective`.

mod single_label;

use burn::tensor::Tensor;

use crate::metrics::Metrics;
use crate::targets::Targets;
pub use single_label::SingleLabel;

/// The loss of a batch as a sum and a normalizer, so that several micro-batches have one mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// Cross-entropy; each example has one label.
    SingleLabel(SingleLabel),
}

impl Objective {
    /// Returns the normalizer of the losses of these targets.
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

/// Returns the metrics of logits, with one row for each target.
pub(crate) fn metrics(logits: &[Vec<f32>], targets: &Targets, pos_label: Option<usize>) -> Metrics {
    let Targets::Labels(labels) = targets;
    Metrics::from_logits(logits, labels, pos_label)
}
