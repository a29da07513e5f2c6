//! keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate) in the kernel that needs it: bit for bit `reference::dropout_mask`.

use std::sync::Arc;

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::memory::upload;
use crate::reference::{COLUMN_STEP, MIX, threshold};
use crate::{DropoutSite, SequenceLayout};

/// A dropout mask: a key for each row, and the rate.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(super) keys: Arc<[u32]>,
    rate: f64,
}

impl Mask {
    /// Of hidden states; none where nothing is dropped.
    pub(crate) fn of_rows(site: Option<DropoutSite>, layout: &SequenceLayout) -> Option<Self> {
        let site = dropping(site)?;
        Some(Self { keys: site.rows(Some(layout), layout.num_tokens()).into(), rate: site.rate })
    }

    /// Of attention probabilities, `[num_heads, num_tokens]`.
    pub(super) fn of_heads(
        site: Option<DropoutSite>,
        layout: &SequenceLayout,
        num_heads: usize,
    ) -> Option<Self> {
        let site = dropping(site)?;
        let mut keys = Vec::with_capacity(num_heads * layout.num_tokens());
        for head in 0..num_heads {
            for (sequence, rows) in layout.rows().enumerate() {
                keys.extend((0..rows).map(|position| site.row(sequence, head, position)));
            }
        }
        Some(Self { keys: keys.into(), rate: site.rate })
    }
}

fn dropping(site: Option<DropoutSite>) -> Option<DropoutSite> {
    site.filter(|site| site.rate > 0.0)
}

/// What a kernel is told of a mask.
pub(super) struct Draw {
    pub(super) keys: CubeTensor,
    pub(super) drops: bool,
    pub(super) threshold: u32,
    pub(super) kept: f32,
}

impl Draw {
    pub(super) fn new(mask: Option<&Mask>, like: &CubeTensor) -> Self {
        let rate = mask.map_or(0.0, |mask| mask.rate);
        Self {
            keys: upload(like, mask.map_or(&[], |mask| &mask.keys)),
            drops: mask.is_some(),
            threshold: threshold(rate),
            kept: (1.0 / (1.0 - rate)) as f32,
        }
    }
}

/// The factor of one element: 0, or `kept`.
#[cube]
pub(super) fn factor(row: u32, column: u32, threshold: u32, kept: f32) -> f32 {
    let x = row ^ (column * COLUMN_STEP);
    let x = (x ^ (x >> 16)) * comptime!(MIX[0]);
    let x = (x ^ (x >> 15)) * comptime!(MIX[1]);
    let hash = (x ^ (x >> 16)) >> 8; // 24 bits
    select(hash >= threshold, kept, 0.0)
}
