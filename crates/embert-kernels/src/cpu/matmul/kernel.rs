//! The microkernel trait: operands packed into panels, and a tile of C in registers.
//!
//! A panel holds `width` rows of A (or columns of B) so that the lanes of one position along k are side by side:
//! `[words, width]`. A word is one f32, or two bf16 that follow each other along k.

use super::matrix::Matrix;

/// A microkernel: how packed operands are held and multiplied. A value of it exists only where the processor has the
/// instructions.
pub(crate) trait Kernel: Copy + Send + Sync {
    /// Rows of the tile.
    const MR: usize;
    /// Columns of the tile.
    const NR: usize;
    /// Elements along k in one word.
    const PER_WORD: usize;

    /// Packs rows of `source`, from `row` on and from column `k` on; what is past the last row or column is zero.
    ///
    /// # Safety
    /// The panels' memory, `count · width · words` words, can be written by this thread alone; their width is MR or NR. `row`
    /// and `k` are inside `source` or at its end, and the words are at most those of its columns from `k` on.
    unsafe fn pack(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels);

    /// The product of two panels of `words` positions, `[MR, NR]`.
    ///
    /// # Safety
    /// `a` holds `words · MR` words and `b` `words · NR`. The tile's MR rows of NR numbers can be written by this thread alone,
    /// and are initialized if it starts from them. A row that it starts from holds NR numbers.
    unsafe fn tile(self, words: usize, a: *const u32, b: *const u32, tile: Tile);
}

/// Where panels go, one after another.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    pub(crate) start: *mut u32,
    pub(crate) words: usize,
    pub(crate) width: usize,
    pub(crate) count: usize,
}

/// A tile of C, its rows `stride` apart, and what it starts from.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) from: From,
    pub(crate) to: *mut f32,
    pub(crate) stride: usize,
}

/// What a tile starts from.
#[derive(Clone, Copy)]
pub(crate) enum From {
    /// 0
    Zero,
    /// The same row of NR values in every row: a bias.
    Row(*const f32),
    /// The tile's present values.
    Tile,
}
