//! Which texts share a batch: a pure function of their lengths, the seed and the epoch.

use std::cmp::Reverse;

use crate::permutation::{Stream, permutation};

/// Batches in the stretch of the random order that is sorted at once, as in transformers.
const MEGA_BATCH: usize = 50;

/// How training batches are drawn: transformers' `train_sampling_strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplingStrategy {
    /// In random order, whatever the lengths.
    Random,
    /// Texts of similar length together: transformers' `group_by_length`.
    GroupByLength,
}

/// How much one batch of evaluation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchBudget {
    /// So many texts.
    Examples(usize),
    /// As many texts as fit into so many tokens, each counted as long as the longest of the batch;
    /// one text at least.
    Tokens(usize),
}

/// The batches of one epoch, as lists of rows; each row is in one of them, and only the last can
/// hold fewer than `batch_size`.
///
/// [`SamplingStrategy::GroupByLength`] cuts a random order into stretches of 50 batches (fewer where
/// that leaves no four stretches), sorts each, and cuts it into batches. The batch with the longest
/// text comes first, so that too little memory shows at once; the others follow in random order.
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
    assert!(batch_size > 0, "a batch holds at least one text");
    let order = permutation(lengths.len(), seed, epoch, Stream::Rows);
    match strategy {
        SamplingStrategy::Random => cut(&order, batch_size),
        SamplingStrategy::GroupByLength => {
            let grouped = cut(&length_grouped(order, lengths, batch_size), batch_size);
            shuffle_all_but_first(grouped, lengths.len() / batch_size, seed, epoch)
        }
    }
}

/// Batches for evaluation and prediction, longest texts first, of equal ones the first rows first.
///
/// [`in_row_order`](crate::in_row_order) puts the results back.
///
/// # Panics
///
/// Panics if the budget is 0.
pub fn evaluation_batches(lengths: &[usize], budget: BatchBudget) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|row| Reverse(lengths[*row]));
    match budget {
        BatchBudget::Examples(batch_size) => {
            assert!(batch_size > 0, "a batch holds at least one text");
            cut(&order, batch_size)
        }
        BatchBudget::Tokens(max_tokens) => {
            assert!(max_tokens > 0, "a batch holds at least one token");
            cut_by_tokens(&order, lengths, max_tokens)
        }
    }
}

fn cut(order: &[usize], batch_size: usize) -> Vec<Vec<usize>> {
    order.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

fn cut_by_tokens(order: &[usize], lengths: &[usize], max_tokens: usize) -> Vec<Vec<usize>> {
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

/// transformers' `get_length_grouped_indices` for a given random order
/// (`trainer_pt_utils.py`, v5.23.0).
fn length_grouped(mut order: Vec<usize>, lengths: &[usize], batch_size: usize) -> Vec<usize> {
    let num_batches = (order.len() / (batch_size * 4)).clamp(1, MEGA_BATCH);
    let stretch_len = num_batches * batch_size;
    order.chunks_mut(stretch_len).for_each(|stretch| stretch.sort_by_key(|row| Reverse(lengths[*row])));
    // Each stretch begins with its longest text; of equal ones the first stretch has it.
    let longest = (0..order.len()).step_by(stretch_len).min_by_key(|place| Reverse(lengths[order[*place]]));
    if let Some(longest) = longest {
        order.swap(0, longest);
    }
    order
}

/// A batch that is not full stays last.
fn shuffle_all_but_first(
    mut batches: Vec<Vec<usize>>,
    num_full: usize,
    seed: u64,
    epoch: u64,
) -> Vec<Vec<usize>> {
    let order = permutation(num_full.saturating_sub(1), seed, epoch, Stream::Batches);
    let shuffled: Vec<_> = order.into_iter().map(|place| std::mem::take(&mut batches[place + 1])).collect();
    batches.splice(1.min(num_full)..num_full, shuffled);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_groups_are_transformers_for_the_same_random_order() {
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
    fn a_token_budget_counts_every_text_as_long_as_the_longest() {
        let lengths = [3, 10, 4, 4, 25, 1];
        let batches = evaluation_batches(&lengths, BatchBudget::Tokens(20));
        assert_eq!(batches, [vec![4], vec![1, 2], vec![3, 0, 5]]);
        let batches = evaluation_batches(&lengths, BatchBudget::Examples(4));
        assert_eq!(batches, [vec![4, 1, 2, 3], vec![0, 5]]);
    }
}
