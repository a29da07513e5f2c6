//! The targets of examples.

use crate::error::TrainError;

/// One target for each example, all of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Single-label classification: the label id of each example, from 0.
    Labels(Vec<usize>),
}

impl Targets {
    pub(crate) fn len(&self) -> usize {
        let Self::Labels(labels) = self;
        labels.len()
    }

    /// Returns the targets of these rows, in their order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let Self::Labels(labels) = self;
        Self::Labels(rows.iter().map(|&row| labels[row]).collect())
    }

    /// Fails if a model with `num_labels` logits does not have a target.
    pub(crate) fn check(&self, num_labels: usize) -> Result<(), TrainError> {
        let Self::Labels(labels) = self;
        match labels.iter().position(|&label| label >= num_labels) {
            Some(row) => Err(TrainError::UnknownLabel { row, label: labels[row], num_labels }),
            None => Ok(()),
        }
    }

    /// Returns the bits of one target, for fingerprints.
    pub(crate) fn bits(&self, row: usize) -> impl Iterator<Item = u64> {
        let Self::Labels(labels) = self;
        std::iter::once(labels[row] as u64)
    }
}
