//! Panels of a head's operands, and tiles of `[rows, NR]` made from them.

use crate::cpu::lines::Lines;
use crate::cpu::product::{From, Kernel, Matrix, Panels, Tile};

/// A matrix `[rows, depth]` as left operand: panels of MR rows.
#[derive(Default)]
pub(super) struct Left {
    panels: Lines,
    words: usize,
    count: usize,
}

/// A matrix `[depth, NR · panels]` as right operand, packed from its transpose: panels of NR rows of that.
#[derive(Default)]
pub(super) struct Right {
    panels: Lines,
    words: usize,
    count: usize,
}

impl Left {
    pub(super) fn pack<K: Kernel>(&mut self, kernel: K, source: Matrix<'_>) {
        (self.words, self.count) = (source.columns.div_ceil(K::PER_WORD), source.rows.div_ceil(K::MR));
        pack(kernel, source, K::MR, self.words, &mut self.panels);
    }

    fn panel(&self, index: usize, width: usize) -> &[u32] {
        &self.panels.as_words()[index * width * self.words..][..width * self.words]
    }
}

impl Right {
    /// Packs the transpose of the operand: its rows from `first` on, at most `panels` times NR of them.
    pub(super) fn pack<K: Kernel>(&mut self, kernel: K, transposed: Matrix<'_>) {
        self.words = transposed.columns.div_ceil(K::PER_WORD);
        self.count = transposed.rows.div_ceil(K::NR);
        pack(kernel, transposed, K::NR, self.words, &mut self.panels);
    }

    fn panel(&self, index: usize, width: usize) -> &[u32] {
        &self.panels.as_words()[index * width * self.words..][..width * self.words]
    }
}

fn pack<K: Kernel>(kernel: K, source: Matrix<'_>, width: usize, words: usize, panels: &mut Lines) {
    let count = source.rows.div_ceil(width);
    let start = panels.words(count * words * width).as_mut_ptr();
    // SAFETY: the panels have room for their words.
    unsafe { kernel.pack(source, 0, 0, Panels { start, words, width, count }) };
}

/// C = A·B, or C += A·B: `[rows of A rounded up to MR, columns of B rounded up to NR]`, rows one after another.
pub(super) fn multiply<K: Kernel>(kernel: K, a: &Left, b: &Right, accumulate: bool, c: &mut Lines) {
    debug_assert_eq!(a.words, b.words);
    let stride = b.count * K::NR;
    let len = a.count * K::MR * stride;
    let c = c.floats_mut(len);
    let from = if accumulate { From::Tile } else { From::Zero };
    for j in 0..b.count {
        for i in 0..a.count {
            let (panel_a, panel_b) = (a.panel(i, K::MR), b.panel(j, K::NR));
            let to = c[i * K::MR * stride + j * K::NR..len].as_mut_ptr();
            // SAFETY: the panels hold their words; a whole tile lies from `to` on.
            unsafe { kernel.tile(a.words, panel_a.as_ptr(), panel_b.as_ptr(), Tile { from, to, stride }) };
        }
    }
}
