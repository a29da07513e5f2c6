//! What a matrix product needs of a processor: operands packed into panels, and a tile of C held in registers.
//!
//! A panel holds `width` rows of A (or columns of B) so that the lanes of one position along k lie side by side:
//! `[words, width]`. A word is one f32, or two bf16 that follow each other along k.

use super::matrix::Matrix;

/// How packed operands are held and multiplied.
pub(crate) trait Kernel: Copy + Send + Sync {
    /// Rows of the tile.
    const MR: usize;
    /// Columns of the tile.
    const NR: usize;
    /// Elements along k in one word.
    const PER_WORD: usize;

    /// Packs rows of `source`, from `row` on and from column `k` on, into `count` panels `[words, width]` that follow each
    /// other; what is past the last row or column is zero.
    ///
    /// # Safety
    /// `panels` has room for `count · words · width` words, `width` is MR or NR, the processor has the instructions.
    #[expect(clippy::too_many_arguments, reason = "a part of a matrix and the shape of its panels")]
    unsafe fn pack(
        self,
        source: Matrix<'_>,
        row: usize,
        k: usize,
        words: usize,
        width: usize,
        count: usize,
        panels: *mut u32,
    );

    /// The tile A·B `[MR, NR]` of two panels, added to `from`, written to `to` (rows `stride` apart).
    ///
    /// # Safety
    /// `a` and `b` hold `words` positions, `to` (and `from` where it is `Tile`) a whole tile, `Row` NR values.
    unsafe fn tile(self, words: usize, a: *const u32, b: *const u32, from: From, to: *mut f32, stride: usize);
}

/// What a tile starts from.
#[derive(Clone, Copy)]
pub(crate) enum From {
    /// 0
    Zero,
    /// The same row of NR values in every row: a bias.
    Row(*const f32),
    /// What already lies there.
    Tile,
}
