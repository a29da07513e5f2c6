//! Batch samplers for training and evaluation: pure functions of the lengths, the seed and the epoch.

use std::cmp::Reverse;

use crate::permutation::{Stream, permutation};

/// Maximum number of batches in a mega-batch, which is sorted by length, as in transformers.
const MEGA_BATCH_MULT: usize = 50;

/// The sampling strategy of training batches: `train_sampling_strategy` in transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplingStrategy {
    /// Random order.
    Random,
    /// Groups texts of similar length: `group_by_length` in transformers.
    GroupByLength,
}

/// The maximum size of an evaluation batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchBudget {
    /// Maximum number of texts.
    Examples(usize),
    /// Maximum number of tokens: texts · length of the longest text. A batch has at least one text.
    Tokens(usize),
}

/// Returns the training batches of one epoch, as lists of rows.
///
/// Each row is in exactly one batch. Only the last batch can have fewer than `batch_size` rows.
///
/// [`SamplingStrategy::GroupByLength`] splits a random order into mega-batches of 50 batches, or fewer if there would
/// not be four mega-batches. It sorts each mega-batch by length and splits it into batches. The batch with the longest
/// text comes first, so that a lack of memory shows in the first step; the other batches are shuffled.
///
/// # Panics
///
/// Panics if `batch_size` is 0.
pub fn training_batches(
    lengths: &[usize],
    batch_size: usize,
    strategy: SamplingStrategy,
    seed: u64,
    epoch: u64,
) -> Vec<Vec<usize>> {
    assert!(batch_size > 0, "batch_size must be at least 1");
    let order = permutation(lengths.len(), seed, epoch, Stream::Rows);
    match strategy {
        SamplingStrategy::Random => into_batches(&order, batch_size),
        SamplingStrategy::GroupByLength => {
            let grouped = into_batches(&length_grouped(order, lengths, batch_size), batch_size);
            shuffle_all_but_first(grouped, lengths.len() / batch_size, seed, epoch)
        }
    }
}

/// Returns batches for evaluation and prediction, as lists of rows: the longest texts first, then by row.
///
/// [`in_row_order`](crate::in_row_order) restores the order of the rows.
///
/// # Panics
///
/// Panics if the budget is 0.
pub fn evaluation_batches(lengths: &[usize], budget: BatchBudget) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|row| Reverse(lengths[*row]));
    match budget {
        BatchBudget::Examples(batch_size) => {
            assert!(batch_size > 0, "a batch must have at least one text");
            into_batches(&order, batch_size)
        }
        BatchBudget::Tokens(max_tokens) => {
            assert!(max_tokens > 0, "a batch must have at least one token");
            into_batches_by_tokens(&order, lengths, max_tokens)
        }
    }
}

fn into_batches(order: &[usize], batch_size: usize) -> Vec<Vec<usize>> {
    order.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

fn into_batches_by_tokens(order: &[usize], lengths: &[usize], max_tokens: usize) -> Vec<Vec<usize>> {
    let mut batches = Vec::new();
    let mut rest = order;
    while let Some(longest) = rest.first() {
        let num_texts = (max_tokens / lengths[*longest].max(1)).clamp(1, rest.len());
        let (batch, others) = rest.split_at(num_texts);
        batches.push(batch.to_vec());
        rest = others;
    }
    batches
}

/// Ports `get_length_grouped_indices` of transformers (`trainer_pt_utils.py`, v5.23.0) for a given random order.
fn length_grouped(mut order: Vec<usize>, lengths: &[usize], batch_size: usize) -> Vec<usize> {
    let num_batches = (order.len() / (batch_size * 4)).clamp(1, MEGA_BATCH_MULT);
    let mega_batch_len = num_batches * batch_size;
    order.chunks_mut(mega_batch_len).for_each(|rows| rows.sort_by_key(|row| Reverse(lengths[*row])));
    // Each mega-batch starts with its longest text. The first of equally long texts comes first.
    let longest =
        (0..order.len()).step_by(mega_batch_len).min_by_key(|index| Reverse(lengths[order[*index]]));
    if let Some(longest) = longest {
        order.swap(0, longest);
    }
    order
}

/// Shuffles all batches except the first. An incomplete batch stays last.
fn shuffle_all_but_first(
    mut batches: Vec<Vec<usize>>,
    num_full: usize,
    seed: u64,
    epoch: u64,
) -> Vec<Vec<usize>> {
    let order = permutation(num_full.saturating_sub(1), seed, epoch, Stream::Batches);
    let shuffled: Vec<_> = order.into_iter().map(|index| std::mem::take(&mut batches[index + 1])).collect();
    batches.splice(1.min(num_full)..num_full, shuffled);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_groups_equal_transformers_for_the_same_random_order() {
        let cases: serde_json::Value =
            serde_json::from_str(include_str!("../tests/fixtures/length_groups.json")).unwrap();
        let numbers =
            |value: &serde_json::Value| -> Vec<usize> { serde_json::from_value(value.clone()).unwrap() };
        for case in cases.as_array().unwrap() {
            let batch_size = case["batch_size"].as_u64().unwrap() as usize;
            let grouped =
                length_grouped(numbers(&case["permutation"]), &numbers(&case["lengths"]), batch_size);
            assert_eq!(grouped, numbers(&case["grouped"]), "batch_size {batch_size}");
        }
    }

    #[test]
    fn a_token_budget_counts_padded_lengths() {
        let lengths = [3, 10, 4, 4, 25, 1];
        let batches = evaluation_batches(&lengths, BatchBudget::Tokens(20));
        assert_eq!(batches, [vec![4], vec![1, 2], vec![3, 0, 5]]);
        let batches = evaluation_batches(&lengths, BatchBudget::Examples(4));
        assert_eq!(batches, [vec![4, 1, 2, 3], vec![0, 5]]);
    }
}
