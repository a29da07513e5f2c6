//! How texts are put into batches for evaluation and prediction.

use embert_kernels::Precision;
use embert_text::{BatchBudget, EncodedTexts, Padding, evaluation_batches};

/// How texts are put into batches where no weight changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batching {
    /// How much a batch holds; not 0.
    pub budget: BatchBudget,
    /// What a batch's shorter texts are filled up to, if they are.
    pub padding: Padding,
    /// The precision of matrix products.
    pub precision: Precision,
}

impl Batching {
    /// Returns the rows of each batch. Lengths count with their padding, so few shapes occur.
    pub fn batches(&self, texts: &EncodedTexts) -> Vec<Vec<usize>> {
        evaluation_batches(&texts.padded_lengths(self.padding), self.budget)
    }
}
