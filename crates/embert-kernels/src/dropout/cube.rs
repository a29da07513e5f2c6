//! keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate) in the kernel that needs it: bit for bit `reference::dropout_mask`.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::mask::{COLUMN_STEP, MIX, Mask, threshold};
use crate::cube::memory::upload;

/// A mask on a device.
pub(crate) struct Uploaded {
    keys: CubeTensor,
    rate: f64,
    /// Whether there is a mask.
    pub(crate) drops: bool,
}

impl Uploaded {
    pub(crate) fn new(mask: Option<&Mask>, like: &CubeTensor) -> Self {
        Self {
            keys: upload(like, mask.map_or(&[], |mask| &mask.keys)),
            rate: mask.map_or(0.0, |mask| mask.rate),
            drops: mask.is_some(),
        }
    }

    /// As a kernel takes it.
    pub(crate) fn launch(&self) -> DrawLaunch {
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        DrawLaunch::new(self.keys.clone().into_buffer_arg(), threshold(self.rate), kept, self.drops)
    }
}

/// A mask in a kernel.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Draw {
    /// One for each row.
    keys: Box<[u32]>,
    threshold: u32,
    kept: f32,
    #[cube(comptime)]
    pub(crate) drops: bool,
}

#[cube]
impl Draw {
    /// The key of a row; none is read where nothing is dropped.
    pub(crate) fn key(&self, row: usize) -> u32 {
        let mut key = 0u32;
        if self.drops.comptime() {
            key = self.keys[row];
        }
        key
    }

    /// What the element in this column of the row with this key is multiplied with: 0 or `kept`, 1 where nothing is dropped.
    pub(crate) fn factor(&self, key: u32, column: u32) -> f32 {
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
