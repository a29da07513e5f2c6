//! The microkernel trait: packs operands into panels, and computes one tile of C in registers.
//!
//! A panel holds `width` rows of A, or `width` columns of B, which are its lanes. It is stored as
//! `[k_words, width]`: the lanes of one position along k are adjacent. A word is 32 bits: one f32, or two
//! bf16 that are adjacent along k. Panels of A have another order inside a step of AMX.

use super::matrix::Matrix;

/// A microkernel. A value exists only if the processor has the instructions.
pub(crate) trait Kernel: Copy + Send + Sync {
    /// The number of rows of a tile.
    const MR: usize;
    /// The number of columns of a tile.
    const NR: usize;
    /// The number of elements along k in one word.
    const ELEMENTS_PER_WORD: usize;
    /// The number of words along k that are multiplied at a time. The length of a panel is a multiple of it.
    const WORDS_PER_STEP: usize = 1;

    /// Returns the length along k of a panel of `elements`, in words.
    fn k_words(elements: usize) -> usize {
        elements.div_ceil(Self::ELEMENTS_PER_WORD).next_multiple_of(Self::WORDS_PER_STEP)
    }

    /// Packs the rows `row..` and the columns `k..` of A into panels. Rows and columns after the end become zero.
    ///
    /// # Safety
    /// - `panels.start` points to `count · width · k_words` words that are valid for writes, and no other
    ///   thread accesses them during the call.
    /// - `panels.width` is MR.
    /// - `row <= source.rows` and `k <= source.columns`.
    /// - `panels.k_words` is a multiple of WORDS_PER_STEP, and at most [`Self::k_words`] of the columns `k..`.
    unsafe fn pack_left(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels);

    /// Packs the rows `row..` and the columns `k..` of Bᵀ into panels, as [`Self::pack_left`].
    ///
    /// # Safety
    /// The requirements of [`Self::pack_left`], but `panels.width` is NR.
    unsafe fn pack_right(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels);

    /// Prepares the registers of this thread. Other code may use them after the last product.
    fn begin(self) {}

    /// Computes the product of two panels of `k_words` words, a tile `[MR, NR]`, and writes it to C.
    ///
    /// # Safety
    /// - This thread has called [`Self::begin`], and no code after it has changed the registers that it prepares.
    /// - `k_words` is a multiple of WORDS_PER_STEP.
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
