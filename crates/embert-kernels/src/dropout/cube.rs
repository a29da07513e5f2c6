//! Dropout in GPU kernels: keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate), bit-identical to
//! `reference::dropout_mask`.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::mask::{COLUMN_STEP, MIX, Mask, threshold};
use crate::cube::memory::upload;

/// A dropout mask in device memory.
pub(crate) struct DeviceMask {
    keys: CubeTensor,
    rate: f64,
    /// True if there is a mask.
    pub(crate) is_enabled: bool,
}

impl DeviceMask {
    pub(crate) fn new(mask: Option<&Mask>, like: &CubeTensor) -> Self {
        Self {
            keys: upload(like, mask.map_or(&[], |mask| &mask.keys)),
            rate: mask.map_or(0.0, |mask| mask.rate),
            is_enabled: mask.is_some(),
        }
    }

    /// Returns the kernel argument.
    pub(crate) fn launch(&self) -> MaskGeneratorLaunch {
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        MaskGeneratorLaunch::new(
            self.keys.clone().into_buffer_arg(),
            threshold(self.rate),
            kept,
            self.is_enabled,
        )
    }
}

/// A dropout mask as an argument of a kernel.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct MaskGenerator {
    /// One key for each row.
    keys: Box<[u32]>,
    threshold: u32,
    kept: f32,
    #[cube(comptime)]
    pub(crate) is_enabled: bool,
}

#[cube]
impl MaskGenerator {
    /// Returns the key of a row. Reads no memory if nothing is dropped.
    pub(crate) fn key(&self, row: usize) -> u32 {
        let mut key = 0u32;
        if self.is_enabled.comptime() {
            key = self.keys[row];
        }
        key
    }

    /// Returns the factor of the element in this column of the row with this key: 0 or `kept`, or 1 if
    /// nothing is dropped.
    pub(crate) fn factor(&self, key: u32, column: u32) -> f32 {
        let mut factor = 1.0f32;
        if self.is_enabled.comptime() {
            let x = key ^ (column * COLUMN_STEP);
            let x = (x ^ (x >> 16)) * comptime!(MIX[0]);
            let x = (x ^ (x >> 15)) * comptime!(MIX[1]);
            let hash = (x ^ (x >> 16)) >> 8; // 24 bits
            factor = select(hash >= self.threshold, self.kept, 0.0);
        }
        factor
    }
}
