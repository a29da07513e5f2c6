//! Batches of tokens with their targets.

use embert_text::{EncodedTexts, Padding, TokenBatch};

use crate::error::TrainError;
use crate::targets::Targets;

/// Tokenized texts with their targets, by row.
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
    /// Checks the examples for a model with `num_labels` logits.
    ///
    /// # Errors
    /// If there are none, or not one valid target for each text.
    pub fn check(&self, num_labels: usize) -> Result<(), TrainError> {
        if self.texts.is_empty() {
            return Err(TrainError::NoExamples);
        }
        if self.texts.len() != self.targets.len() {
            return Err(TrainError::LabelCount { texts: self.texts.len(), labels: self.targets.len() });
        }
        self.targets.check(num_labels)
    }

    /// Returns the examples of these rows as one batch.
    pub fn batch(&self, rows: &[usize], padding: Padding) -> LabelledBatch {
        LabelledBatch { tokens: self.texts.batch(rows, padding), targets: self.targets.select(rows) }
    }
}
