//! Packed operands of one head, and products of them or of some of their rows or columns.

use std::ops::Range;

use crate::cpu::AlignedBuffer;
use crate::cpu::matmul::{Kernel, Matrix, Panels, Tile, TileInit};

/// The maximum number of queries in a tile.
pub(crate) const MAX_QUERIES: usize = 64;

/// An operand that is packed into panels.
#[derive(Default)]
pub(crate) struct PackedOperand {
    panels: AlignedBuffer,
    k_words: usize,
    count: usize,
}

impl PackedOperand {
    /// Packs a left operand, `[rows, k]`, into panels of MR rows.
    pub(crate) fn pack_left<K: Kernel>(&mut self, kernel: K, source: Matrix<'_>) {
        let panels = self.panels::<K>(source, K::MR);
        // SAFETY: `panels` are borrowed mutably, and their width is MR. Row 0 and column 0 are in range, and
        // `k_words` is that of all columns of `source`.
        unsafe { kernel.pack_left(source, 0, 0, panels) };
    }

    /// Packs a right operand, `[k, columns]`, into panels of NR columns. The argument is its transpose.
    pub(crate) fn pack_right<K: Kernel>(&mut self, kernel: K, transposed: Matrix<'_>) {
        let panels = self.panels::<K>(transposed, K::NR);
        // SAFETY: `panels` are borrowed mutably, and their width is NR. Row 0 and column 0 are in range, and
        // `k_words` is that of all columns of `transposed`.
        unsafe { kernel.pack_right(transposed, 0, 0, panels) };
    }

    /// Returns memory for the panels of `source`.
    fn panels<K: Kernel>(&mut self, source: Matrix<'_>, width: usize) -> Panels {
        (self.k_words, self.count) = (K::k_words(source.columns), source.rows.div_ceil(width));
        let start = self.panels.words_mut(self.count * self.k_words * width).as_mut_ptr();
        Panels { start, k_words: self.k_words, width, count: self.count }
    }

    /// Returns the complete operand.
    pub(crate) fn all(&self) -> PanelView<'_> {
        let (panels, k_words) = (self.panels.as_words(), 0..self.k_words);
        PanelView { panels, panel_words: self.k_words, first: 0, count: self.count, k_words }
    }

    /// Returns these rows of a left operand, and the other rows of their panels.
    pub(crate) fn rows<K: Kernel>(&self, rows: &Range<usize>) -> PanelView<'_> {
        let first = rows.start / K::MR;
        PanelView { first, count: rows.end.div_ceil(K::MR) - first, ..self.all() }
    }

    /// Returns these columns of a left operand, and columns after them up to a complete step. The first one begins a
    /// step.
    pub(crate) fn columns<K: Kernel>(&self, columns: &Range<usize>) -> PanelView<'_> {
        let first = columns.start / K::ELEMENTS_PER_WORD;
        PanelView { k_words: first..first + K::k_words(columns.len()), ..self.all() }
    }
}

/// Consecutive panels of a packed operand, and a range of their words along k.
pub(crate) struct PanelView<'a> {
    panels: &'a [u32],
    /// The number of words along k of a complete panel.
    panel_words: usize,
    first: usize,
    count: usize,
    k_words: Range<usize>,
}

impl PanelView<'_> {
    /// Returns the words of panel number `index`, `[k_words, width]`.
    fn panel(&self, index: usize, width: usize) -> &[u32] {
        let start = (self.first + index) * self.panel_words;
        &self.panels[(start + self.k_words.start) * width..(start + self.k_words.end) * width]
    }
}

/// Computes C = A·B, or C += A·B if `accumulate` is set. C is `[rows of A rounded up to MR, columns of B
/// rounded up to NR]`, with contiguous rows, at the start of `c`.
///
/// # Panics
/// If A and B have different lengths along k, or `c` is too short.
pub(crate) fn multiply<K: Kernel>(
    kernel: K,
    a: PanelView<'_>,
    b: PanelView<'_>,
    accumulate: bool,
    c: &mut [f32],
) {
    let k_words = a.k_words.len();
    assert_eq!(k_words, b.k_words.len(), "both operands must have the same length along k");
    let stride = b.count * K::NR;
    let len = a.count * K::MR * stride;
    let c = &mut c[..len];
    let init = if accumulate { TileInit::Current } else { TileInit::Zero };
    kernel.begin();
    for j in 0..b.count {
        for i in 0..a.count {
            let (panel_a, panel_b) = (a.panel(i, K::MR), b.panel(j, K::NR));
            let start = c[i * K::MR * stride + j * K::NR..len].as_mut_ptr();
            // SAFETY: `panel_a` has `MR · k_words` and `panel_b` has `NR · k_words` words, because both
            // views have `k_words` words along k. Slices of words are initialized. `c` has `a.count · MR` rows
            // of `stride` = `b.count · NR` numbers. The tile has MR rows from i · MR on and NR columns from
            // j · NR on. It is inside `c`, because i < `a.count` and j < `b.count`. It is initialized, because
            // `c` is a slice of numbers. `c` is borrowed mutably, so nothing else accesses it. `begin` was called.
            unsafe {
                kernel.multiply_panels(
                    k_words,
                    panel_a.as_ptr(),
                    panel_b.as_ptr(),
                    Tile { init, start, row_stride: stride },
                )
            };
        }
    }
}
