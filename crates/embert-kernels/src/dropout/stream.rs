//! The random stream of dropout: a key for each row of each place of the model, from a counter instead of a state.

use crate::SequenceLayout;
use crate::counter::mix64;

/// The randomness of one optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutStream {
    /// The seed of the run.
    pub seed: u64,
    /// The optimizer step, from 0.
    pub step: u64,
    /// How many sequences of this step came before this batch (gradient accumulation), so that several small
    /// batches draw what one large batch would.
    pub first_sequence: usize,
}

/// One place of the model that drops out: a rate, and the part of the stream that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutSite {
    key: u64,
    first_sequence: usize,
    /// The probability that an element becomes zero, in `0.0..1.0`.
    pub rate: f64,
}

impl DropoutStream {
    /// The site number `site` of layer number `layer`.
    pub fn site(self, layer: usize, site: usize, rate: f64) -> DropoutSite {
        assert!((0.0..1.0).contains(&rate), "a dropout rate is in 0..1, not {rate}");
        let key = mix64(mix64(mix64(self.seed) ^ self.step) ^ ((layer as u64) << 32 | site as u64));
        DropoutSite { key, first_sequence: self.first_sequence, rate }
    }
}

impl DropoutSite {
    /// One key for each row of the hidden states, `[num_tokens]`; without a layout one for each of `num_rows` sequences:
    /// what is dropped of a pooled output.
    pub(crate) fn rows(&self, layout: Option<&SequenceLayout>, num_rows: usize) -> Vec<u32> {
        let Some(layout) = layout else {
            return (0..num_rows).map(|sequence| self.row(sequence, 0, 0)).collect();
        };
        let rows = layout.rows().enumerate();
        rows.flat_map(|(sequence, rows)| (0..rows).map(move |position| self.row(sequence, 0, position)))
            .collect()
    }

    /// The site, if it drops anything.
    pub(crate) fn dropping(site: Option<Self>) -> Option<Self> {
        site.filter(|site| site.rate > 0.0)
    }

    /// One key for each row of the attention probabilities, `[batch, num_heads, queries]`.
    pub(crate) fn attention_rows(&self, batch_size: usize, num_heads: usize, queries: usize) -> Vec<u32> {
        let mut keys = Vec::with_capacity(batch_size * num_heads * queries);
        for sequence in 0..batch_size {
            for head in 0..num_heads {
                keys.extend((0..queries).map(|position| self.row(sequence, head, position)));
            }
        }
        keys
    }

    /// The key of one row.
    pub(crate) fn row(&self, sequence: usize, head: usize, position: usize) -> u32 {
        let sequence = mix64(self.key ^ (self.first_sequence + sequence) as u64);
        (mix64(sequence ^ ((head as u64) << 32 | position as u64)) >> 32) as u32
    }
}
