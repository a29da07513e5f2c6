//! A dropout mask: a key for each row, and a hash of key and column that decides which elements are dropped.

use std::sync::Arc;

use super::stream::DropoutSite;
use crate::layout::SequenceLayout;

/// The factor of a column before it is combined with the row's key: 2³² / φ, an odd number.
pub(crate) const COLUMN_STEP: u32 = 0x9e37_79b9;
/// The multipliers of `lowbias32`, a 32-bit mixer found by search (Chris Wellons, hash-prospector).
pub(crate) const MIX: [u32; 2] = [0x7feb_352d, 0x846c_a68b];

/// Returns the threshold for a rate. Hash values below it are dropped, out of 2²⁴.
pub(crate) fn threshold(rate: f64) -> u32 {
    (rate * f64::from(1 << 24)).round() as u32
}

/// The keys of all rows, and the dropout rate.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(crate) keys: Arc<[u32]>,
    pub(crate) rate: f64,
}

impl Mask {
    /// Returns the mask of `rows` hidden states, or `None` if nothing is dropped.
    pub(crate) fn of_rows(
        site: Option<DropoutSite>,
        layout: Option<&SequenceLayout>,
        rows: usize,
    ) -> Option<Self> {
        let site = DropoutSite::dropping(site)?;
        Some(Self { keys: site.rows(layout, rows).into(), rate: site.rate })
    }
}
