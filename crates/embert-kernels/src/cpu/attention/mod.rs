//! Attention of each (sequence, head) on one thread: O = dropout(softmax(QKᵀ/√d))·V.
//!
//! Scores lie transposed, `[keys, queries]` for a tile of queries: the softmax then runs down the columns without any
//! sum across a vector, and the tile is, as it lies, the right operand of the product with Vᵀ.

mod backward;
mod forward;
mod tile;

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

pub(crate) use backward::{Kept, backward};
pub(crate) use forward::forward;

use super::product::Matrix;
use crate::{DropoutSite, SequenceLayout};

/// What attention is told beside query, key and value.
#[derive(Clone)]
pub(crate) struct Heads {
    pub(crate) layout: SequenceLayout,
    pub(crate) num_heads: usize,
    /// Columns of a head.
    pub(crate) width: usize,
    pub(crate) site: Option<DropoutSite>,
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Task {
    sequence: usize,
    head: usize,
    /// The sequence's first row.
    start: usize,
    /// Its tokens.
    length: usize,
}

impl Heads {
    /// hidden = num_heads · width
    fn hidden(&self) -> usize {
        self.num_heads * self.width
    }

    /// 1/√d
    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// Runs `work` on every head of every sequence, the long ones first.
    fn for_each(&self, work: impl Fn(Task) + Sync) {
        let sequences = self.layout.starts().into_iter().zip(&self.layout.lengths).enumerate();
        let mut tasks: Vec<Task> = sequences
            .flat_map(|(sequence, (start, &length))| {
                (0..self.num_heads).map(move |head| Task { sequence, head, start, length })
            })
            .collect();
        tasks.sort_by_key(|task| std::cmp::Reverse(task.length));
        let next = AtomicUsize::new(0);
        (0..rayon::current_num_threads()).into_par_iter().for_each(|_| {
            while let Some(&task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(task);
            }
        });
    }

    /// A head's rows of query (0), key (1) or value (2) in `[tokens, 3 · hidden]`, `[length, width]`.
    fn part<'a>(&self, qkv: &'a [f32], task: Task, part: usize) -> Matrix<'a> {
        let stride = 3 * self.hidden();
        let first = task.start * stride + part * self.hidden() + task.head * self.width;
        Matrix::strided(&qkv[first..], task.length, self.width, stride)
    }

    /// A head's rows in `[tokens, hidden]`, `[length, width]`.
    fn rows<'a>(&self, x: &'a [f32], task: Task) -> Matrix<'a> {
        let first = task.start * self.hidden() + task.head * self.width;
        Matrix::strided(&x[first..], task.length, self.width, self.hidden())
    }

    /// The dropout keys of queries `first..first + keys.len()`.
    fn dropout_keys(&self, task: Task, first: usize, keys: &mut [u32]) {
        let Some(site) = self.site else { return };
        for (i, key) in keys.iter_mut().enumerate() {
            *key = site.row(task.sequence, task.head, first + i);
        }
    }

    fn rate(&self) -> Option<f64> {
        self.site.map(|site| site.rate).filter(|&rate| rate > 0.0)
    }
}

/// A buffer of which threads write disjoint parts.
#[derive(Clone, Copy)]
struct Output(*mut f32);

// SAFETY: each task writes the rows and columns of its own head.
unsafe impl Send for Output {}
unsafe impl Sync for Output {}

impl Output {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}
