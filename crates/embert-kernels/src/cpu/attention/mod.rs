//! Attention of each (sequence, head) on one thread: O = dropout(softmax(QKᵀ/√d))·V.
//!
//! Scores lie transposed, `[keys, queries]` for a tile of queries: the softmax then runs down the columns without any
//! sum across a vector, and the tile is, as it lies, the right operand of the product with Vᵀ.

mod backward;
mod forward;
mod tile;

pub(crate) use backward::{Kept, backward, backward_of_first};
pub(crate) use forward::forward;

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::product::Matrix;
use super::threads;
use super::uninit::Uninit;
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

    /// Memory for `len` numbers: zeros if there are rows of padding, which no task writes.
    fn buffer(&self, len: usize) -> Uninit {
        let mut buffer = Uninit::new(len);
        if self.layout.padded_to.is_some() {
            buffer.slots().fill(MaybeUninit::new(0.0));
        }
        buffer
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

/// Rows of `stride` numbers, from the first column that counts on, in which each task writes the columns of its head.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    start: *mut f32,
    len: usize,
    stride: usize,
    /// Columns of a head.
    width: usize,
    borrowed: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

// SAFETY: an `Output` is written through `write` alone, whose tasks write different elements.
unsafe impl Send for Output<'_> {}
// SAFETY: as for `Send`.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    /// `parts` outputs side by side, of heads of `width` columns.
    fn side_by_side<const N: usize>(
        slots: &'a mut [MaybeUninit<f32>],
        heads: &Heads,
        width: usize,
    ) -> [Self; N] {
        let hidden = heads.num_heads * width;
        let start = slots.as_mut_ptr().cast::<f32>();
        std::array::from_fn(|part| Self {
            start: start.wrapping_add(part * hidden),
            len: slots.len().saturating_sub(part * hidden),
            stride: N * hidden,
            width,
            borrowed: PhantomData,
        })
    }

    /// Writes `value(i, column)` to row `first + i` of the head of a task, for `count` rows.
    ///
    /// # Safety
    /// The rows are of the task's sequence, and no other task has that sequence and head.
    unsafe fn write(self, task: Task, first: usize, count: usize, value: impl Fn(usize, usize) -> f32) {
        let from = first * self.stride + task.head * self.width;
        assert!(
            count == 0 || from + (count - 1) * self.stride + self.width <= self.len,
            "rows of the output"
        );
        for i in 0..count {
            let to = self.start.wrapping_add(from + i * self.stride);
            for column in 0..self.width {
                // SAFETY: the last element is inside the memory, as asserted, and only the task's thread writes these, as
                // the caller promises.
                unsafe { to.add(column).write(value(i, column)) };
            }
        }
    }
}
