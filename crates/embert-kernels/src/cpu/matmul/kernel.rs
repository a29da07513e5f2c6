//! The microkernel trait: packs operands into panels, and computes one tile of C in registers.
//!
//! A panel holds `width` rows of A, or `width` columns of B, which are its lanes. It is stored as
//! `[k_words, width]`: the lanes of one position along k are adjacent. A word is 32 bits: one f32, or two
//! bf16 that are adjacent along k.

use super::matrix::Matrix;

/// A microkernel. A value exists only if the processor has the instructions.
pub(crate) trait Kernel: Copy + Send + Sync {
    /// The number of rows of a tile.
    const MR: usize;
    /// The number of columns of a tile.
    const NR: usize;
    /// The number of elements along k in one word.
    const ELEMENTS_PER_WORD: usize;

    /// Packs the rows `row..` and the columns `k..` of `source` into panels. Rows and columns after the end
    /// of `source` become zero.
    ///
    /// # Safety
    /// - `panels.start` points to `count · width · k_words` words that are valid for writes, and no other
    ///   thread accesses them during the call.
    /// - `panels.width` is MR or NR.
    /// - `row <= source.rows` and `k <= source.columns`.
    /// - `panels.k_words` is at most the number of words that hold the columns `k..` of `source`.
    unsafe fn pack(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels);

    /// Computes the product of two panels of `k_words` words, a tile `[MR, NR]`, and writes it to C.
    ///
    /// # Safety
    /// - `a` points to `k_words · MR` and `b` to `k_words · NR` initialized words.
    /// - Each of the MR rows of `tile` is valid for writes of NR numbers, and no other thread accesses them
    ///   during the call.
    /// - With [`TileInit::Current`], these numbers are initialized.
    /// - With [`TileInit::Bias`], the pointer is valid for reads of NR initialized numbers.
    unsafe fn multiply_panels(self, k_words: usize, a: *const u32, b: *const u32, tile: Tile);
}

/// The destination of packed panels, stored one after another.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    pub(crate) start: *mut u32,
    /// The length of each panel, in words along k.
    pub(crate) k_words: usize,
    /// The number of lanes of each panel.
    pub(crate) width: usize,
    /// The number of panels.
    pub(crate) count: usize,
}

/// A tile of C in memory, and its initial value.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) init: TileInit,
    /// The first element.
    pub(crate) start: *mut f32,
    /// The distance between two rows.
    pub(crate) row_stride: usize,
}

/// The value to which the product of a tile is added.
#[derive(Clone, Copy)]
pub(crate) enum TileInit {
    /// Zero.
    Zero,
    /// The same NR values in each row: a bias.
    Bias(*const f32),
    /// The current values of the tile.
    Current,
}
