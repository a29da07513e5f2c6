//! The gradients of the projections of the relative embeddings, which all sequences share.
//!
//! The sequences are divided into groups, and each head of each group has its own sum. The groups depend only on the
//! lengths. So the order of addition does not depend on the threads, and the memory does not grow with the batch.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::batch::Settings;
use crate::attention::cpu::heads::{HeadTask, Heads};
use crate::cpu::AlignedBuffer;
use crate::cpu::matmul::Kernel;
use crate::layout::SequenceLayout;

/// The maximum number of groups. Each has a sum of `[2 · span, hidden]` for each projection.
const MAX_GROUPS: usize = 8;

/// Returns the tasks: each has one head of the sequences of a group. The heads of a group follow each other.
pub(super) fn group_tasks(heads: &Heads) -> Vec<Vec<HeadTask>> {
    let of_head = |group: &[HeadTask], head| group.iter().map(|&task| HeadTask { head, ..task }).collect();
    let groups = groups(&heads.layout);
    groups.iter().flat_map(|group| (0..heads.num_heads).map(|head| of_head(group, head))).collect()
}

/// Deals the sequences to the groups, the longest first.
fn groups(layout: &SequenceLayout) -> Vec<Vec<HeadTask>> {
    let sequences = layout.starts().into_iter().zip(&layout.lengths).enumerate();
    let mut sequences: Vec<_> = sequences
        .map(|(sequence, (start, &length))| HeadTask {
            sequence,
            head: 0,
            start,
            length,
            first_query: start,
            queries: length,
        })
        .collect();
    sequences.sort_by_key(|task| Reverse(task.length));
    let groups = sequences.len().min(MAX_GROUPS);
    (0..groups).map(|group| sequences.iter().skip(group).step_by(groups).copied().collect()).collect()
}

/// Returns the number of elements of a product, with its rows rounded up to MR and its columns to NR.
pub(super) fn product_len<K: Kernel>(rows: usize, columns: usize) -> usize {
    rows.next_multiple_of(K::MR) * columns.next_multiple_of(K::NR)
}

/// Adds a product, `[count, width]`, to the rows of `sum` from `first` on. The sum is `[2 · span, width]`.
pub(super) fn add_rows<K: Kernel>(
    sum: &mut [f32],
    width: usize,
    first: usize,
    count: usize,
    product: &AlignedBuffer,
) {
    let stride = width.next_multiple_of(K::NR);
    let sum = sum[first * width..].chunks_exact_mut(width);
    for (sum, product) in sum.zip(product.floats(count * stride).chunks_exact(stride)) {
        sum.iter_mut().zip(product).for_each(|(sum, product)| *sum += product);
    }
}

/// Returns the gradient of a projection, `[2 · span, hidden]`. Each part is the sum of a task, `[2 · span, width]`, in
/// the order of [`group_tasks`].
pub(super) fn sum_of_parts<'a>(settings: &Settings, parts: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let Settings { ref heads, num_positions, .. } = *settings;
    let (width, parts) = (heads.width, parts.collect::<Vec<_>>());
    let mut sum = vec![0.0; num_positions * heads.hidden()];
    sum.par_chunks_mut(heads.hidden()).enumerate().for_each(|(row, sum)| {
        for group in parts.chunks_exact(heads.num_heads) {
            for (sum, part) in sum.chunks_exact_mut(width).zip(group) {
                sum.iter_mut().zip(&part[row * width..]).for_each(|(sum, part)| *sum += part);
            }
        }
    });
    sum
}
