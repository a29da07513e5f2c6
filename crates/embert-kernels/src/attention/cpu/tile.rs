//! Panels of a head's operands, and tiles of `[rows, NR]` made from them.

use crate::cpu::Lines;
use crate::cpu::matmul::{From, Kernel, Matrix, Panels, Tile};

/// The most queries of a tile.
pub(super) const MOST_QUERIES: usize = 64;

/// An operand in panels.
#[derive(Default)]
pub(super) struct Packed {
    panels: Lines,
    words: usize,
    count: usize,
}

impl Packed {
    /// A left operand, `[rows, depth]`: panels of MR rows.
    pub(super) fn left<K: Kernel>(&mut self, kernel: K, source: Matrix<'_>) {
        self.pack(kernel, source, K::MR);
    }

    /// A right operand, `[depth, columns]`, by its transpose: panels of NR rows of that.
    pub(super) fn right<K: Kernel>(&mut self, kernel: K, transposed: Matrix<'_>) {
        self.pack(kernel, transposed, K::NR);
    }

    fn pack<K: Kernel>(&mut self, kernel: K, source: Matrix<'_>, width: usize) {
        (self.words, self.count) = (source.columns.div_ceil(K::PER_WORD), source.rows.div_ceil(width));
        let start = self.panels.words(self.count * self.words * width).as_mut_ptr();
        let panels = Panels { start, words: self.words, width, count: self.count };
        // SAFETY: `words` has made room for `count` panels of `width` lanes and `self.words` words each, width is MR or NR,
        // and `K` exists only where the processor has its instructions.
        unsafe { kernel.pack(source, 0, 0, panels) };
    }

    fn panel(&self, index: usize, width: usize) -> &[u32] {
        &self.panels.as_words()[index * width * self.words..][..width * self.words]
    }
}

/// C = A·B, or C += A·B: `[rows of A rounded up to MR, columns of B rounded up to NR]`, rows one after another.
pub(super) fn multiply<K: Kernel>(kernel: K, a: &Packed, b: &Packed, accumulate: bool, c: &mut Lines) {
    assert_eq!(a.words, b.words, "the depth of a product");
    let stride = b.count * K::NR;
    let len = a.count * K::MR * stride;
    let c = c.floats_mut(len);
    let from = if accumulate { From::Tile } else { From::Zero };
    for j in 0..b.count {
        for i in 0..a.count {
            let (panel_a, panel_b) = (a.panel(i, K::MR), b.panel(j, K::NR));
            let to = c[i * K::MR * stride + j * K::NR..len].as_mut_ptr();
            // SAFETY: both panels have `a.words` words, since both operands have the same depth; `c` has `a.count · MR` rows of
            // `stride` numbers, so that the tile is inside it.
            unsafe { kernel.tile(a.words, panel_a.as_ptr(), panel_b.as_ptr(), Tile { from, to, stride }) };
        }
    }
}
