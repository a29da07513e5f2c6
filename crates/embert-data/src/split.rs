//! A seeded split into rows to train on and rows held out, with the same shares of each class in both.

use std::cmp::Reverse;

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

/// Holds out `held_out` rows, and of each class its share, rounded so that the sum is exact: of 3,000 rows, half of each of
/// two classes, 600 held out are 300 of each.
///
/// Every class keeps at least one row to train on. What a rare class cannot give is taken from the others; if all of them
/// together cannot give it, fewer rows are held out. Both parts are shuffled. The same seed gives the same split.
///
/// # Errors
///
/// [`DataError::CannotSplit`] when no row can be held out: no class has two.
pub fn stratified_split(dataset: &Dataset, held_out: usize, seed: u64) -> Result<Split, DataError> {
    let counts = dataset.class_counts();
    let most = spare(&counts).sum::<usize>();
    if held_out > 0 && most == 0 {
        return Err(DataError::CannotSplit { held_out, rows: dataset.len() });
    }
    let mut quotas = quotas(&counts, held_out.min(most));
    leave_one_of_each(&counts, &mut quotas);
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
    by_remainder.sort_by_key(|&id| Reverse(exact(counts[id]) % total));
    let left = held_out.saturating_sub(quotas.iter().sum());
    for &id in by_remainder.iter().take(left) {
        quotas[id] += 1;
    }
    quotas
}

/// The rows that each class can give: all but one.
fn spare(counts: &[usize]) -> impl Iterator<Item = usize> {
    counts.iter().map(|count| count.saturating_sub(1))
}

/// Moves what a class cannot give to the class that can give most, the lower id first.
fn leave_one_of_each(counts: &[usize], quotas: &mut [usize]) {
    let mut excess = 0;
    for (quota, spare) in quotas.iter_mut().zip(spare(counts)) {
        excess += quota.saturating_sub(spare);
        *quota = (*quota).min(spare);
    }
    for _ in 0..excess {
        let room = spare(counts).zip(quotas.iter()).map(|(spare, quota)| spare - quota);
        if let Some((id, _)) = room.enumerate().max_by_key(|&(id, room)| (room, Reverse(id))) {
            quotas[id] += 1;
        }
    }
}
