//! Batches of tokens with their labels.

use embert_text::{EncodedTexts, Padding, SamplingStrategy, TokenBatch, training_batches};

use crate::config::{TrainConfig, TrainSamplingStrategy};
use crate::error::TrainError;

/// Tokenized texts with the ids of their labels, by row.
#[derive(Debug, Clone, Copy)]
pub struct LabelledTexts<'a> {
    /// The tokens.
    pub texts: &'a EncodedTexts,
    /// One label for each text, from 0 on.
    pub labels: &'a [usize],
}

/// A batch of tokens and the labels of its sequences.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledBatch {
    /// The tokens.
    pub tokens: TokenBatch,
    /// One label for each sequence.
    pub labels: Vec<usize>,
}

impl LabelledTexts<'_> {
    /// Says what is wrong with the examples, if something is.
    ///
    /// # Errors
    /// If there are none, or not one label below `num_labels` for each text.
    pub fn check(&self, num_labels: usize) -> Result<(), TrainError> {
        if self.texts.is_empty() {
            return Err(TrainError::NoExamples);
        }
        if self.texts.len() != self.labels.len() {
            return Err(TrainError::LabelCount { texts: self.texts.len(), labels: self.labels.len() });
        }
        match self.labels.iter().position(|&label| label >= num_labels) {
            Some(row) => Err(TrainError::UnknownLabel { row, label: self.labels[row], num_labels }),
            None => Ok(()),
        }
    }

    /// The examples of these rows as one batch.
    pub fn batch(&self, rows: &[usize], padding: Padding) -> LabelledBatch {
        let labels = rows.iter().map(|&row| self.labels[row]).collect();
        LabelledBatch { tokens: self.texts.batch(rows, padding), labels }
    }
}

/// The rows of each optimizer step of an epoch, for texts of these lengths.
///
/// Planned by whole steps, so that what shares a step does not depend on how it is cut into micro-batches.
pub(crate) fn windows(lengths: &[usize], config: &TrainConfig, epoch: u64) -> Vec<Vec<usize>> {
    let strategy = match config.train_sampling_strategy {
        TrainSamplingStrategy::Random => SamplingStrategy::Random,
        TrainSamplingStrategy::GroupByLength => SamplingStrategy::GroupByLength,
    };
    let rows_of_step = config.per_device_train_batch_size * config.gradient_accumulation_steps;
    training_batches(lengths, rows_of_step, strategy, config.seed, epoch)
}
