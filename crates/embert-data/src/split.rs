//! Split into training rows and held-out rows, with the same share of each class.

use std::cmp::Reverse;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::permutation::permutation;
use crate::problem_type::ProblemType;

/// The two parts of a split dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The training rows.
    pub train: Dataset,
    /// The rows to evaluate on.
    pub held_out: Dataset,
}

/// Splits a dataset into training rows and `held_out` evaluation rows, stratified by label.
///
/// Each class gives `held_out · rows of the class / all rows`, rounded so that the sum is exact. For example, if 3,000
/// rows have two classes of equal size, 600 held-out rows are 300 of each class.
///
/// Each class keeps at least one training row. If a rare class cannot give its rows, other classes give more. If they
/// cannot either, fewer rows are held out. Both parts are shuffled. The same seed gives the same split.
///
/// Rows with several labels and rows of a regression are not stratified: the first rows of the shuffle are held out.
/// Each label keeps at least one training row, so rows with a rare label can be passed over.
///
/// # Errors
///
/// [`DataError::CannotSplit`] if no class has two rows, or if no row can be held out.
///
/// # Panics
///
/// Panics if there are 2^32 rows or more.
pub fn stratified_split(dataset: &Dataset, held_out: usize, seed: u64) -> Result<Split, DataError> {
    let cannot = || DataError::CannotSplit { held_out, rows: dataset.len() };
    let order = permutation(seed, dataset.len());
    let (held, train): (Vec<usize>, Vec<usize>) = match dataset.problem_type {
        ProblemType::SingleLabelClassification => {
            let mut quotas = class_quotas(dataset, held_out).ok_or_else(cannot)?;
            order.into_iter().partition(|&index| {
                let ids = dataset.examples[index].target.label_ids();
                let take = ids.iter().all(|&id| quotas[id] > 0);
                ids.iter().for_each(|&id| quotas[id] -= usize::from(take));
                take
            })
        }
        ProblemType::MultiLabelClassification | ProblemType::Regression => {
            let mut left = dataset.class_counts();
            let mut wanted = held_out.min(dataset.len().saturating_sub(1));
            order.into_iter().partition(|&index| {
                let ids = dataset.examples[index].target.label_ids();
                let take = wanted > 0 && ids.iter().all(|&id| left[id] > 1);
                ids.iter().for_each(|&id| left[id] -= usize::from(take));
                wanted -= usize::from(take);
                take
            })
        }
    };
    match held.is_empty() && held_out > 0 {
        true => Err(cannot()),
        false => Ok(Split { train: dataset.select(&train), held_out: dataset.select(&held) }),
    }
}

/// Returns the number of rows that each class gives; `None` if no class has two rows.
fn class_quotas(dataset: &Dataset, held_out: usize) -> Option<Vec<usize>> {
    let counts = dataset.class_counts();
    let max_held_out = spare(&counts).sum::<usize>();
    if held_out > 0 && max_held_out == 0 {
        return None;
    }
    let mut quotas = quotas(&counts, held_out.min(max_held_out));
    keep_one_of_each(&counts, &mut quotas);
    Some(quotas)
}

/// Distributes `held_out` among the classes in proportion to their counts.
///
/// Rounds down; the remaining rows go to the classes with the largest remainders, the lower id first.
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

/// Returns the number of rows that each class can give: all except one.
fn spare(counts: &[usize]) -> impl Iterator<Item = usize> {
    counts.iter().map(|count| count.saturating_sub(1))
}

/// Moves rows that a class cannot give to the class that can give the most, the lower id first.
fn keep_one_of_each(counts: &[usize], quotas: &mut [usize]) {
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
