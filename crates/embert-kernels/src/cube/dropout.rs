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

/// A mask on a device.
pub(super) struct Uploaded {
    keys: CubeTensor,
    rate: f64,
    /// Whether there is a mask.
    pub(super) drops: bool,
}

impl Uploaded {
    pub(super) fn new(mask: Option<&Mask>, like: &CubeTensor) -> Self {
        Self {
            keys: upload(like, mask.map_or(&[], |mask| &mask.keys)),
            rate: mask.map_or(0.0, |mask| mask.rate),
            drops: mask.is_some(),
        }
    }

    /// As a kernel takes it.
    pub(super) fn launch(&self) -> DrawLaunch {
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        DrawLaunch::new(self.keys.clone().into_buffer_arg(), threshold(self.rate), kept, self.drops)
    }
}

/// A mask in a kernel.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Draw {
    /// One for each row.
    keys: Box<[u32]>,
    threshold: u32,
    kept: f32,
    #[cube(comptime)]
    pub(super) drops: bool,
}

#[cube]
impl Draw {
    /// The key of a row; none is read where nothing is dropped.
    pub(super) fn key(&self, row: usize) -> u32 {
        let mut key = 0u32;
        if self.drops.comptime() {
            key = self.keys[row];
        }
        key
    }

    /// What the element in this column of the row with this key is multiplied with: 0 or `kept`, 1 where nothing is dropped.
    pub(super) fn factor(&self, key: u32, column: u32) -> f32 {
        let mut factor = 1.0f32;
        if self.drops.comptime() {
            let x = key ^ (column * COLUMN_STEP);
            let x = (x ^ (x >> 16)) * comptime!(MIX[0]);
            let x = (x ^ (x >> 15)) * comptime!(MIX[1]);
            let hash = (x ^ (x >> 16)) >> 8; // 24 bits
            factor = select(hash >= self.threshold, self.kept, 0.0);
        }
        factor
    }
}
