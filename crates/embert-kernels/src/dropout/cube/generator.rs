//! Dropout in GPU kernels: keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate), bit-identical to
//! `reference::dropout_mask`.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::sequence_mask::SequenceMask;
use crate::cube::hash::{Pair, mix64};
use crate::cube::memory::upload;
use crate::cube::rows::{VALUES_PER_SEQUENCE, sequence_of_row};
use crate::dropout::mask::{COLUMN_STEP, MIX, threshold};

/// A dropout mask in device memory.
pub(crate) struct DeviceMask {
    keys: CubeTensor,
    num_sequences: usize,
    rows_per_sequence: usize,
    rate: f64,
    /// True if there is a mask.
    pub(crate) is_enabled: bool,
}

impl DeviceMask {
    /// Uploads one key for each sequence. Kernels compute the keys of rows with [`MaskGenerator::sequence_key`] and
    /// [`MaskGenerator::row_key`].
    pub(crate) fn new(mask: Option<&SequenceMask>, like: &CubeTensor) -> Self {
        let sequences: &[u32] = mask.map_or(&[], |mask| &mask.sequences);
        Self {
            keys: upload(like, sequences),
            num_sequences: sequences.len() / VALUES_PER_SEQUENCE,
            rows_per_sequence: mask.map_or(0, |mask| mask.rows_per_sequence),
            rate: mask.map_or(0.0, |mask| mask.rate),
            is_enabled: mask.is_some(),
        }
    }

    /// Returns the kernel argument.
    pub(crate) fn launch(&self) -> MaskGeneratorLaunch {
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        MaskGeneratorLaunch::new(
            self.keys.clone().into_buffer_arg(),
            self.num_sequences,
            self.rows_per_sequence,
            threshold(self.rate),
            kept,
            self.is_enabled,
        )
    }
}

/// A dropout mask as an argument of a kernel.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct MaskGenerator {
    /// The first row and the key of each sequence, `[batch, 3]`.
    keys: Box<[u32]>,
    num_sequences: usize,
    rows_per_sequence: usize,
    threshold: u32,
    kept: f32,
    #[cube(comptime)]
    pub(crate) is_enabled: bool,
}

#[cube]
impl MaskGenerator {
    /// Returns the key of a row of the hidden states. Reads no memory if nothing is
    /// dropped.
    pub(crate) fn row_key(&self, row: usize) -> u32 {
        let mut key = 0u32;
        if self.is_enabled.comptime() {
            let sequence = sequence_of_row(&self.keys, self.num_sequences, self.rows_per_sequence, row);
            let start = self.keys[sequence * VALUES_PER_SEQUENCE] as usize;
            key = self.sequence_key(sequence, 0u32, (row - start) as u32);
        }
        key
    }

    /// Returns the key of a row of a head: `DropoutSite::row`. Reads no memory if
    /// nothing is dropped.
    pub(crate) fn sequence_key(&self, sequence: usize, head: u32, position: u32) -> u32 {
        let mut key = 0u32;
        if self.is_enabled.comptime() {
            let low = self.keys[sequence * VALUES_PER_SEQUENCE + 1];
            let high = self.keys[sequence * VALUES_PER_SEQUENCE + 2];
            key = mix64(Pair { low: low ^ position, high: high ^ head }).high;
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

    /// Returns the factors of N columns, from `column` on.
    pub(crate) fn factors<N: Size>(&self, key: u32, column: usize) -> Vector<f32, N> {
        let mut factors = Vector::<f32, N>::new(1.0f32);
        if self.is_enabled.comptime() {
            #[unroll]
            for i in 0..N::value() {
                factors.insert(i, self.factor(key, (column + i) as u32));
            }
        }
        factors
    }
}
