//! The arguments of the attention kernels that are not tensors: sequences, heads and dropout mask.

use std::sync::Arc;

use cubecl::prelude::CubeCount;

use super::tile::HeadShapeLaunch;
use crate::attention::AttentionOptions;
use crate::dropout::cube::SequenceMask;
use crate::layout::SequenceLayout;
use crate::precision::Precision;

/// The maximum width of a head: wider rows do not fit into the registers.
const MAX_HEAD_WIDTH: usize = 128;

/// The sequences, the number of heads, and the dropout mask of the probabilities.
#[derive(Clone, Debug)]
pub(super) struct Heads {
    /// The first row, the length and the number of rows of each sequence, `[batch, 3]`.
    pub(super) sequences: Arc<[u32]>,
    max_rows: usize,
    pub(super) num_heads: usize,
    /// The largest distance of a key from its query.
    window: Option<usize>,
    pub(super) mask: Option<SequenceMask>,
    /// The precision of the products.
    pub(super) precision: Precision,
}

impl Heads {
    /// Returns `None` if the heads are too wide.
    pub(super) fn new(layout: &SequenceLayout, hidden: usize, options: AttentionOptions) -> Option<Self> {
        let AttentionOptions { num_heads, window, dropout, precision } = options;
        let sequences = layout.starts().into_iter().zip(&layout.lengths).zip(layout.rows());
        let sequences =
            sequences.flat_map(|((start, &length), rows)| [start, length, rows].map(|n| n as u32));
        (hidden / num_heads <= MAX_HEAD_WIDTH).then(|| Self {
            sequences: sequences.collect(),
            max_rows: layout.rows().max().unwrap_or(0),
            num_heads,
            window,
            mask: SequenceMask::new(dropout, Some(layout), layout.num_tokens()),
            precision,
        })
    }

    pub(super) fn batch_size(&self) -> usize {
        self.sequences.len() / 3
    }

    /// Returns whether there is a window, and the largest distance in it. A kernel can add `num_tokens` to the distance.
    pub(super) fn window(&self, num_tokens: usize) -> (bool, usize) {
        (self.window.is_some(), self.window.unwrap_or(0).min(num_tokens))
    }

    /// Returns the shape of a head of d columns, read in vectors of `lanes` numbers and tiles of `tile` rows.
    pub(super) fn shape(&self, d: usize, num_tokens: usize, lanes: usize, tile: usize) -> HeadShapeLaunch {
        let (windowed, window) = self.window(num_tokens);
        HeadShapeLaunch::new(num_tokens, 1.0 / (d as f32).sqrt(), d / lanes, tile, windowed, window)
    }

    /// Returns the grid: one cube for each block of `rows` rows, head and sequence.
    pub(super) fn cubes(&self, rows: usize) -> CubeCount {
        let blocks = self.max_rows.div_ceil(rows);
        CubeCount::Static(blocks as u32, self.num_heads as u32, self.batch_size() as u32)
    }
}
