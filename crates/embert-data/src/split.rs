//! A seeded split into rows to train on and rows held out, with each class in both as in the whole.

use crate::error::DataError;
use crate::permutation::permutation;
use crate::review::Dataset;

/// The two parts of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The rows to train on.
    pub train: Dataset,
    /// The rows held out to judge the result by.
    pub held_out: Dataset,
}

/// Holds out exactly `held_out` rows, and of each class its share, rounded so that the sum is exact:
/// of 3,000 rows, half of each of two classes, 600 held out are 300 of each.
///
/// Both parts are shuffled. The same seed gives the same split.
///
/// # Errors
///
/// [`DataError::CannotSplit`] when a class would have no rows left to train on.
pub fn stratified_split(dataset: &Dataset, held_out: usize, seed: u64) -> Result<Split, DataError> {
    let counts = dataset.class_counts();
    let mut quotas = quotas(&counts, held_out);
    if let Some(id) = (0..counts.len()).find(|&id| counts[id] > 0 && quotas[id] >= counts[id]) {
        return Err(DataError::CannotSplit {
            held_out,
            rows: dataset.len(),
            label: dataset.labels.names()[id].clone(),
            class_rows: counts[id],
        });
    }
    let (held, train): (Vec<usize>, Vec<usize>) =
        permutation(seed, dataset.len()).into_iter().partition(|&index| {
            let quota = &mut quotas[dataset.examples[index].label];
            let take = *quota > 0;
            *quota -= usize::from(take);
            take
        });
    Ok(Split { train: dataset.select(&train), held_out: dataset.select(&held) })
}

/// Shares `held_out` among the classes by their counts; what rounding down leaves goes to the largest
/// remainders, the lower id first.
fn quotas(counts: &[usize], held_out: usize) -> Vec<usize> {
    let total = counts.iter().sum::<usize>().max(1) as u128;
    let exact = |count: usize| count as u128 * held_out as u128;
    let mut quotas: Vec<usize> = counts.iter().map(|&count| (exact(count) / total) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|&id| std::cmp::Reverse(exact(counts[id]) % total));
    let left = held_out.saturating_sub(quotas.iter().sum());
    for &id in by_remainder.iter().take(left) {
        quotas[id] += 1;
    }
    quotas
}
