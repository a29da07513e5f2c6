//! The random stream of dropout: a key for each row and dropout site, from a counter instead of a state.

use crate::SequenceLayout;
use crate::hash::mix64;

/// The random stream of one optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutStream {
    /// The seed of the run.
    pub seed: u64,
    /// The optimizer step, from 0.
    pub step: u64,
    /// The number of sequences of this step that came before this batch. With gradient accumulation, several
    /// small batches then draw the masks of one large batch.
    pub first_sequence: usize,
}

/// One dropout layer of the model: its rate and its part of the random stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutSite {
    key: u64,
    first_sequence: usize,
    /// The probability that an element is zeroed, in `0.0..1.0`.
    pub rate: f64,
}

impl DropoutStream {
    /// Returns dropout site number `site` of layer number `layer`.
    ///
    /// # Panics
    /// If `rate` is not in `0.0..1.0`.
    pub fn site(self, layer: usize, site: usize, rate: f64) -> DropoutSite {
        assert!((0.0..1.0).contains(&rate), "the dropout rate must be in 0..1, but it is {rate}");
        let key = mix64(mix64(mix64(self.seed) ^ self.step) ^ ((layer as u64) << 32 | site as u64));
        DropoutSite { key, first_sequence: self.first_sequence, rate }
    }
}

impl DropoutSite {
    /// Returns one key for each row of the hidden states, `[num_tokens]`. Without a layout, returns one key
    /// for each of `num_rows` sequences, for a pooled output.
    pub(crate) fn rows(&self, layout: Option<&SequenceLayout>, num_rows: usize) -> Vec<u32> {
        let Some(layout) = layout else {
            return (0..num_rows).map(|sequence| self.row(sequence, 0, 0)).collect();
        };
        let rows = layout.rows().enumerate();
        rows.flat_map(|(sequence, rows)| (0..rows).map(move |position| self.row(sequence, 0, position)))
            .collect()
    }

    /// Returns the site if its rate is above 0.
    pub(crate) fn dropping(site: Option<Self>) -> Option<Self> {
        site.filter(|site| site.rate > 0.0)
    }

    /// Returns one key for each row of the attention probabilities, `[batch, num_heads, queries]`.
    pub(crate) fn attention_rows(&self, batch_size: usize, num_heads: usize, queries: usize) -> Vec<u32> {
        let mut keys = Vec::with_capacity(batch_size * num_heads * queries);
        for sequence in 0..batch_size {
            for head in 0..num_heads {
                keys.extend((0..queries).map(|position| self.row(sequence, head, position)));
            }
        }
        keys
    }

    /// Returns the key of one row.
    pub(crate) fn row(&self, sequence: usize, head: usize, position: usize) -> u32 {
        (mix64(self.sequence(sequence) ^ ((head as u64) << 32 | position as u64)) >> 32) as u32
    }

    /// Returns the key of one sequence. The keys of its rows are hashes of it.
    pub(crate) fn sequence(&self, sequence: usize) -> u64 {
        mix64(self.key ^ (self.first_sequence + sequence) as u64)
    }
}
