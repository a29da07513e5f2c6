//! The heads of a batch: one task for each head of each sequence.

use std::mem::MaybeUninit;

use crate::cpu::threads;
use crate::cpu::uninit::Uninit;
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;

/// Which tokens of a sequence are queries.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Queries {
    /// Every token: a row of queries and of the output for each row of keys.
    All,
    /// The first: one row for each sequence.
    First,
}

/// Where each sequence and each head is, and the dropout of the probabilities.
#[derive(Clone)]
pub(super) struct Heads {
    pub(super) layout: SequenceLayout,
    pub(super) num_heads: usize,
    /// Columns of a head.
    pub(super) width: usize,
    pub(super) queries: Queries,
    pub(super) site: Option<DropoutSite>,
}

/// One head of one sequence.
#[derive(Clone, Copy)]
pub(super) struct Task {
    pub(super) sequence: usize,
    pub(super) head: usize,
    /// The sequence's first row among the keys.
    pub(super) start: usize,
    /// Its tokens.
    pub(super) length: usize,
    /// The row of its first query.
    pub(super) first_query: usize,
    /// Its queries.
    pub(super) queries: usize,
}

impl Heads {
    pub(super) fn new(
        layout: &SequenceLayout,
        num_heads: usize,
        hidden: usize,
        queries: Queries,
        site: Option<DropoutSite>,
    ) -> Self {
        Self { layout: layout.clone(), num_heads, width: hidden / num_heads, queries, site }
    }

    /// hidden = num_heads · width
    pub(super) fn hidden(&self) -> usize {
        self.num_heads * self.width
    }

    /// 1/√d
    pub(super) fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// Runs `work` on every head of every sequence, the long ones first.
    pub(super) fn for_each(&self, work: impl Fn(Task) + Sync) {
        let sequences = self.layout.starts().into_iter().zip(&self.layout.lengths).enumerate();
        let mut tasks: Vec<Task> = sequences
            .flat_map(|(sequence, (start, &length))| {
                let (first_query, queries) = match self.queries {
                    Queries::All => (start, length),
                    Queries::First => (sequence, 1),
                };
                let task = Task { sequence, head: 0, start, length, first_query, queries };
                (0..self.num_heads).map(move |head| Task { head, ..task })
            })
            .collect();
        tasks.sort_by_key(|task| std::cmp::Reverse(task.length));
        threads::for_each(rayon::current_num_threads(), tasks.len(), |task| work(tasks[task]));
    }

    /// Rows of queries, and of the output.
    pub(super) fn num_queries(&self) -> usize {
        match self.queries {
            Queries::All => self.layout.num_tokens(),
            Queries::First => self.layout.batch_size(),
        }
    }

    /// Memory for `len` numbers: zeros if there are rows of padding, which no task writes.
    pub(super) fn buffer(&self, len: usize) -> Uninit {
        let mut buffer = Uninit::new(len);
        if self.layout.padded_to.is_some() {
            buffer.slots().fill(MaybeUninit::new(0.0));
        }
        buffer
    }

    /// The dropout keys of queries `first..first + keys.len()`.
    pub(super) fn dropout_keys(&self, task: Task, first: usize, keys: &mut [u32]) {
        let Some(site) = self.site else { return };
        for (i, key) in keys.iter_mut().enumerate() {
            *key = site.row(task.sequence, task.head, first + i);
        }
    }

    /// 1/(1 − rate), what dropout scales by what it keeps.
    pub(super) fn kept_scale(&self) -> f32 {
        self.rate().map_or(1.0, |rate| (1.0 / (1.0 - rate)) as f32)
    }

    pub(super) fn rate(&self) -> Option<f64> {
        self.site.map(|site| site.rate).filter(|&rate| rate > 0.0)
    }
}
