//! Attention of each (sequence, head) on one thread: O = dropout(softmax(QKᵀ/√d))·V.
//!
//! Scores lie transposed, `[keys, queries]` for a tile of queries: the softmax then runs down the columns without any
//! sum across a vector, and the tile is, as it lies, the right operand of the product with Vᵀ.

mod backward;
mod forward;
mod tile;

pub(crate) use backward::{Gradients, Kept, backward};
pub(crate) use forward::forward;

use super::memory::unwritten;
use super::product::Matrix;
use super::threads;
use crate::{DropoutSite, SequenceLayout};

/// Which tokens of a sequence ask.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Queries {
    /// Every token: a row of queries and of the output for each row of keys.
    All,
    /// The first: one row for each sequence.
    First,
}

/// What attention is told beside query, key and value.
#[derive(Clone)]
pub(crate) struct Heads {
    pub(crate) layout: SequenceLayout,
    pub(crate) num_heads: usize,
    /// Columns of a head.
    pub(crate) width: usize,
    pub(crate) queries: Queries,
    pub(crate) site: Option<DropoutSite>,
}

/// Query, key and value of all tokens that have them, the heads of each side by side.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    query: Rows<'a>,
    key: Rows<'a>,
    value: Rows<'a>,
}

/// Rows of `stride` numbers, from the first column that counts on.
#[derive(Clone, Copy)]
struct Rows<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Inputs<'a> {
    /// Of every token, side by side: `[tokens, 3 · hidden]`.
    pub(crate) fn of_all(qkv: &'a [f32], heads: &Heads) -> Self {
        let [query, key, value] = [0, 1, 2].map(|part| Rows::part(qkv, part, 3, heads));
        Self { query, key, value }
    }

    /// Queries of first tokens `[sequences, hidden]`, keys and values of all side by side `[tokens, 2 · hidden]`.
    pub(crate) fn of_first(query: &'a [f32], key_value: &'a [f32], heads: &Heads) -> Self {
        let [key, value] = [0, 1].map(|part| Rows::part(key_value, part, 2, heads));
        Self { query: Rows::part(query, 0, 1, heads), key, value }
    }
}

impl<'a> Rows<'a> {
    /// One of `parts` parts that lie side by side.
    fn part(values: &'a [f32], part: usize, parts: usize, heads: &Heads) -> Self {
        let hidden = heads.hidden();
        Self { values: values.get(part * hidden..).unwrap_or_default(), stride: parts * hidden }
    }

    /// The columns of one head in `count` rows, `[count, width]`.
    fn of_head(self, heads: &Heads, head: usize, first: usize, count: usize) -> Matrix<'a> {
        Matrix::strided(
            &self.values[first * self.stride + head * heads.width..],
            count,
            heads.width,
            self.stride,
        )
    }
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Task {
    sequence: usize,
    head: usize,
    /// The sequence's first row among the keys.
    start: usize,
    /// Its tokens.
    length: usize,
    /// The row of its first query.
    first_query: usize,
    /// Its queries.
    queries: usize,
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
                let (first_query, queries) = match self.queries {
                    Queries::All => (start, length),
                    Queries::First => (sequence, 1),
                };
                (0..self.num_heads).map(move |head| Task {
                    sequence,
                    head,
                    start,
                    length,
                    first_query,
                    queries,
                })
            })
            .collect();
        tasks.sort_by_key(|task| std::cmp::Reverse(task.length));
        threads::for_each(rayon::current_num_threads(), tasks.len(), |task| work(tasks[task]));
    }

    /// Rows of queries, and of the output.
    fn num_queries(&self) -> usize {
        match self.queries {
            Queries::All => self.layout.num_tokens(),
            Queries::First => self.layout.batch_size(),
        }
    }

    /// `len` numbers, zeros where there is padding, which nothing writes.
    fn buffer(&self, len: usize) -> Vec<f32> {
        if self.layout.padded_to.is_some() { vec![0.0; len] } else { unwritten(len) }
    }

    /// The dropout keys of queries `first..first + keys.len()`.
    fn dropout_keys(&self, task: Task, first: usize, keys: &mut [u32]) {
        let Some(site) = self.site else { return };
        for (i, key) in keys.iter_mut().enumerate() {
            *key = site.row(task.sequence, task.head, first + i);
        }
    }

    /// 1/(1 − rate), what dropout scales by what it keeps.
    fn kept_scale(&self) -> f32 {
        self.rate().map_or(1.0, |rate| (1.0 / (1.0 - rate)) as f32)
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
