//! The tasks of attention: one for each head of each sequence.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::attention::AttentionOptions;
use crate::cpu::output_buffer::OutputBuffer;
use crate::cpu::threads;
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;

/// The tokens of a sequence that are queries.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Queries {
    /// Every token. Query, output and key have the same rows.
    All,
    /// The first token. Query and output have one row per sequence.
    First,
}

/// The sequences and heads of a batch, the window, and the dropout of the attention probabilities.
#[derive(Clone)]
pub(crate) struct Heads {
    pub(crate) layout: SequenceLayout,
    pub(crate) num_heads: usize,
    /// The number of columns of a head.
    pub(crate) width: usize,
    pub(crate) queries: Queries,
    pub(crate) site: Option<DropoutSite>,
    /// The largest distance between a query and its keys; `None` if that is all keys of every sequence.
    window: Option<usize>,
}

/// One head of one sequence.
#[derive(Clone, Copy)]
pub(crate) struct HeadTask {
    pub(crate) sequence: usize,
    pub(crate) head: usize,
    /// The first row of the sequence in key and value.
    pub(crate) start: usize,
    /// The number of tokens of the sequence.
    pub(crate) length: usize,
    /// The first row of the sequence in query and output.
    pub(crate) first_query: usize,
    /// The number of queries of the sequence.
    pub(crate) queries: usize,
}

impl Heads {
    pub(crate) fn new(
        layout: &SequenceLayout,
        hidden: usize,
        queries: Queries,
        AttentionOptions { num_heads, window, dropout, .. }: AttentionOptions,
    ) -> Self {
        let window = window.filter(|&window| window < layout.longest().saturating_sub(1));
        Self { layout: layout.clone(), num_heads, width: hidden / num_heads, queries, site: dropout, window }
    }

    /// Returns num_heads · width.
    pub(crate) fn hidden(&self) -> usize {
        self.num_heads * self.width
    }

    /// Returns 1/√d.
    pub(crate) fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    pub(crate) fn has_window(&self) -> bool {
        self.window.is_some()
    }

    /// Returns the keys of the queries `first..first + count`. The first key is rounded down to a multiple of
    /// `multiple`.
    pub(crate) fn keys(&self, task: HeadTask, first: usize, count: usize, multiple: usize) -> Range<usize> {
        let Some(window) = self.window else { return 0..task.length };
        let start = first.saturating_sub(window) / multiple * multiple;
        start..task.length.min(first + count + window)
    }

    /// Sets the scores of keys outside of the window to −∞. The scores are `[keys, queries]`, with the queries from
    /// `first` on.
    pub(crate) fn mask_window(&self, scores: &mut [f32], keys: Range<usize>, first: usize, queries: usize) {
        let Some(window) = self.window else { return };
        for (key, row) in keys.zip(scores.chunks_exact_mut(queries)) {
            let begin = key.saturating_sub(window + first).min(queries); // the first query with key ≤ query + window
            let end = (key + window + 1).saturating_sub(first).min(queries);
            row[..begin].fill(f32::NEG_INFINITY);
            row[end..].fill(f32::NEG_INFINITY);
        }
    }

    /// Runs `work` on every head of every sequence, the longest sequences first.
    pub(crate) fn for_each(&self, work: impl Fn(HeadTask) + Sync) {
        let sequences = self.layout.starts().into_iter().zip(&self.layout.lengths).enumerate();
        let mut tasks: Vec<HeadTask> = sequences
            .flat_map(|(sequence, (start, &length))| {
                let (first_query, queries) = match self.queries {
                    Queries::All => (start, length),
                    Queries::First => (sequence, 1),
                };
                let task = HeadTask { sequence, head: 0, start, length, first_query, queries };
                (0..self.num_heads).map(move |head| HeadTask { head, ..task })
            })
            .collect();
        tasks.sort_by_key(|task| std::cmp::Reverse(task.length));
        threads::for_each(rayon::current_num_threads(), tasks.len(), |task| work(tasks[task]));
    }

    /// Returns the number of rows of query and output.
    pub(crate) fn num_queries(&self) -> usize {
        match self.queries {
            Queries::All => self.layout.num_tokens(),
            Queries::First => self.layout.batch_size(),
        }
    }

    /// Returns memory for `len` numbers. In a padded layout it is filled with zeros, because no task writes
    /// padding rows.
    pub(crate) fn output_buffer(&self, len: usize) -> OutputBuffer {
        let mut buffer = OutputBuffer::new(len);
        if self.layout.padded_to.is_some() {
            buffer.as_uninit_mut().fill(MaybeUninit::new(0.0));
        }
        buffer
    }

    /// Writes the dropout keys of the queries `first..first + keys.len()`.
    pub(crate) fn dropout_keys(&self, task: HeadTask, first: usize, keys: &mut [u32]) {
        let Some(site) = self.site else { return };
        for (i, key) in keys.iter_mut().enumerate() {
            *key = site.row(task.sequence, task.head, first + i);
        }
    }

    /// Returns 1/(1 − rate), the scale of the probabilities that dropout keeps.
    pub(crate) fn kept_scale(&self) -> f32 {
        self.rate().map_or(1.0, |rate| (1.0 / (1.0 - rate)) as f32)
    }

    pub(crate) fn rate(&self) -> Option<f64> {
        self.site.map(|site| site.rate).filter(|&rate| rate > 0.0)
    }
}
