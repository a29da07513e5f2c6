//! The training objective: L = Σ losses / normalizer over the examples of an optimizer step.
//!
//! To add an objective, add a variant of `Targets`, a file here, and a line in each function below and in `of_settings`.

mod focal;
mod multi_label;
mod of_settings;
mod regression;
mod single_label;

use burn::tensor::{Device, Tensor, TensorData};
use embert_model::ProblemType;

use crate::targets::Targets;
pub use multi_label::MultiLabel;
pub use regression::Regression;
pub use single_label::SingleLabel;

/// The loss of a batch as a sum and a normalizer, so that several micro-batches have one mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// Cross-entropy or focal loss; each example has one label.
    SingleLabel(SingleLabel),
    /// Binary cross-entropy or focal loss; each example has any number of labels.
    MultiLabel(MultiLabel),
    /// Mean squared error; each example has one value for each target.
    Regression(Regression),
}

impl Objective {
    /// Returns the problem type that has this objective.
    pub fn problem_type(&self) -> ProblemType {
        match self {
            Self::SingleLabel(_) => ProblemType::SingleLabelClassification,
            Self::MultiLabel(_) => ProblemType::MultiLabelClassification,
            Self::Regression(_) => ProblemType::Regression,
        }
    }

    /// Returns the normalizer of the losses of these targets.
    ///
    /// # Panics
    /// If the targets are of another problem type.
    pub fn normalizer(&self, targets: &Targets) -> f64 {
        match (self, targets) {
            (Self::SingleLabel(objective), Targets::Labels(labels)) => objective.normalizer(labels),
            (Self::MultiLabel(objective), Targets::MultiHot(targets)) => objective.normalizer(targets),
            (Self::Regression(objective), Targets::Values(values)) => objective.normalizer(values),
            _ => self.mismatch(targets),
        }
    }

    /// Returns the sum of the losses of a batch.
    ///
    /// # Shapes
    /// - `logits`: `[batch, num_labels]`
    /// - output: `[1]`
    ///
    /// # Panics
    /// If the targets are of another problem type.
    pub fn loss_sum(&self, logits: Tensor<2>, targets: &Targets) -> Tensor<1> {
        match (self, targets) {
            (Self::SingleLabel(objective), Targets::Labels(labels)) => objective.loss_sum(logits, labels),
            (Self::MultiLabel(objective), Targets::MultiHot(targets)) => objective.loss_sum(logits, targets),
            (Self::Regression(objective), Targets::Values(values)) => objective.loss_sum(logits, values),
            _ => self.mismatch(targets),
        }
    }

    /// Returns the objective whose class weights are all 0, so that every loss is 0.
    pub(crate) fn without_weights(&self) -> Self {
        match self {
            Self::SingleLabel(objective) => Self::SingleLabel(objective.without_weights()),
            Self::MultiLabel(_) | Self::Regression(_) => self.clone(), // their normalizer is not a sum of weights
        }
    }

    fn mismatch(&self, targets: &Targets) -> ! {
        panic!("an objective of {} has targets of {}", self.problem_type(), targets.problem_type())
    }
}

/// Returns values as a matrix `[rows, columns]`.
fn matrix(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
