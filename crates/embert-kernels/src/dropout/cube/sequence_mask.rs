//! A dropout mask for GPUs: a key for each sequence. Kernels compute the keys of the rows.

use std::sync::Arc;

use crate::cube::rows::rows_per_sequence;
use crate::dropout::stream::DropoutSite;
use crate::layout::SequenceLayout;

/// The keys of all sequences, and the dropout rate.
#[derive(Clone, Debug)]
pub(crate) struct SequenceMask {
    /// The first row, and the low and the high half of the key of each sequence, `[batch, 3]`.
    pub(crate) sequences: Arc<[u32]>,
    /// The number of rows of every sequence, 0 in a packed batch.
    pub(crate) rows_per_sequence: usize,
    pub(crate) rate: f64,
}

impl SequenceMask {
    /// Returns the mask of the rows of a batch, or of `num_rows` sequences of one row without a layout. Returns
    /// `None` if nothing is dropped.
    pub(crate) fn new(
        site: Option<DropoutSite>,
        layout: Option<&SequenceLayout>,
        num_rows: usize,
    ) -> Option<Self> {
        let site = DropoutSite::dropping(site)?;
        let starts = layout.map_or_else(|| (0..num_rows).collect(), SequenceLayout::starts);
        let values = starts.into_iter().enumerate().flat_map(|(sequence, start)| {
            let key = site.sequence(sequence);
            [start as u32, key as u32, (key >> 32) as u32]
        });
        let rows_per_sequence = layout.map_or(1, rows_per_sequence);
        Some(Self { sequences: values.collect(), rows_per_sequence, rate: site.rate })
    }
}
