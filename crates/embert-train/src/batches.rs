//! Labelled texts and batches of them.

use embert_text::{EncodedTexts, Padding, TokenBatch};

use crate::error::TrainError;
use crate::targets::Targets;

/// Tokenized texts and their targets, by row.
#[derive(Debug, Clone, Copy)]
pub struct LabelledTexts<'a> {
    /// The tokens.
    pub texts: &'a EncodedTexts,
    /// One target for each text.
    pub targets: &'a Targets,
}

/// A batch of tokens and the targets of its sequences.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledBatch {
    /// The tokens.
    pub tokens: TokenBatch,
    /// One target for each sequence.
    pub targets: Targets,
}

impl LabelledTexts<'_> {
    /// Checks that each text has a target, and that a model with `num_labels` logits has these targets.
    ///
    /// # Errors
    /// [`TrainError::NoExamples`], [`TrainError::LabelCount`] and [`TrainError::UnknownLabel`].
    pub fn check(&self, num_labels: usize) -> Result<(), TrainError> {
        if self.texts.is_empty() {
            return Err(TrainError::NoExamples);
        }
        if self.texts.len() != self.targets.len() {
            return Err(TrainError::LabelCount { texts: self.texts.len(), labels: self.targets.len() });
        }
        self.targets.check(num_labels)
    }

    /// Returns a batch of these rows.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn batch(&self, rows: &[usize], padding: Padding) -> LabelledBatch {
        LabelledBatch { tokens: self.texts.batch(rows, padding), targets: self.targets.select(rows) }
    }
}
