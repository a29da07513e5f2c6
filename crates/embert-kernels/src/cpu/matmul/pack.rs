//! Packing with AVX-512: 16 lanes by one word, or 16 rows by 16 words turned in registers.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use super::kernel::Panels;
use super::matrix::Matrix;
use super::transpose::transpose_16x16;

/// How numbers become words.
pub(super) trait Words {
    /// Numbers in one word.
    const NUMBERS: usize;

    /// 16 lanes side by side, from `at` on; the other number of a word is `k_stride` further.
    ///
    /// # Safety
    /// The lanes of `read` can be read at `at`, and those of `next` at `at + k_stride`. The processor has the instructions.
    unsafe fn across(at: *const f32, k_stride: usize, read: __mmask16, next: __mmask16) -> __m512i;

    /// 16 words of one lane, whose `numbers` numbers follow each other from `at` on.
    ///
    /// # Safety
    /// So many numbers, or the first `16 · NUMBERS` of them, can be read at `at`. The processor has the instructions.
    unsafe fn along(at: *const f32, numbers: usize) -> __m512i;
}

impl Panels {
    /// Lanes of all panels.
    fn lanes(self) -> usize {
        self.count * self.width
    }

    /// Writes word `word` of lanes `lane..lane + 16`.
    ///
    /// # Safety
    /// `lane` is a multiple of 16 below the panels' lanes and `word` below their words. The panels' width is 8 or a multiple of
    /// 16, their memory can be written, and the processor has AVX-512F.
    #[inline(always)]
    unsafe fn write(self, lane: usize, word: usize, values: __m512i) {
        let at = |lane: usize| {
            let offset = (lane / self.width * self.words + word) * self.width + lane % self.width;
            self.start.wrapping_add(offset)
        };
        // SAFETY: 16 lanes from a multiple of 16 on are in one panel whose width is a multiple of 16, and 8 in one of width 8;
        // the second 8 are written only if there is another panel.
        unsafe {
            if self.width != 8 {
                return _mm512_storeu_si512(at(lane).cast(), values);
            }
            _mm256_storeu_si256(at(lane).cast(), _mm512_castsi512_si256(values));
            if lane + 8 < self.lanes() {
                _mm256_storeu_si256(at(lane + 8).cast(), _mm512_extracti64x4_epi64::<1>(values));
            }
        }
    }
}

/// The first `count` of 16.
#[inline(always)]
pub(super) fn first(count: usize) -> __mmask16 {
    (1u32 << count.min(16)).wrapping_sub(1) as u16
}

/// Packs panels from row `row` and column `k` of `source` on; what is past its end is zero.
///
/// # Safety
/// As in [`Kernel::pack`](super::Kernel::pack); the panels' width is 8 or a multiple of 16, and the processor has AVX-512F and
/// what `W` uses.
#[inline(always)]
pub(super) unsafe fn pack<W: Words>(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    let lanes = (source.rows - row).min(panels.lanes());
    let numbers = (panels.words * W::NUMBERS).min(source.columns - k);
    // SAFETY: the caller promises the panels and the instructions. `lanes` rows and `numbers` columns of the source are there
    // from (row, k) on, and both functions read no others.
    unsafe {
        match source.row_stride {
            1 => across::<W>(source.at(row, k), source.column_stride, lanes, numbers, panels),
            stride => along::<W>(source.at(row, k), stride, lanes, numbers, panels),
        }
    }
}

/// Lanes side by side.
///
/// # Safety
/// As for [`pack`]; `lanes` lanes of `numbers` numbers each can be read from `start` on.
#[inline(always)]
unsafe fn across<W: Words>(start: *const f32, k_stride: usize, lanes: usize, numbers: usize, panels: Panels) {
    for word in 0..panels.words {
        let from = start.wrapping_add(word * W::NUMBERS * k_stride);
        for lane in (0..panels.lanes()).step_by(16) {
            let read = first(lanes.saturating_sub(lane));
            let next = if word * W::NUMBERS + 1 < numbers { read } else { 0 };
            // SAFETY: `read` has the lanes that the source has, and `next` none past its last number. Lane and word are in the
            // panels.
            unsafe { panels.write(lane, word, W::across(from.wrapping_add(lane), k_stride, read, next)) };
        }
    }
}

/// Rows whose numbers follow each other.
///
/// # Safety
/// As for [`pack`]; `lanes` lanes of `numbers` numbers each can be read from `start` on.
#[inline(always)]
unsafe fn along<W: Words>(
    start: *const f32,
    row_stride: usize,
    lanes: usize,
    numbers: usize,
    panels: Panels,
) {
    for lane in (0..panels.lanes()).step_by(16) {
        for word in (0..panels.words).step_by(16) {
            let k = word * W::NUMBERS;
            // SAFETY: the caller promises AVX-512F.
            let mut rows = unsafe { [_mm512_setzero_si512(); 16] };
            for (i, row) in rows.iter_mut().enumerate().take(lanes.saturating_sub(lane)) {
                let from = start.wrapping_add((lane + i) * row_stride + k);
                // SAFETY: the source has row `lane + i`, with `numbers - k` numbers from k on.
                *row = unsafe { W::along(from, numbers - k) };
            }
            // SAFETY: the caller promises AVX-512F.
            let columns = unsafe { transpose_16x16(rows) };
            for (i, column) in columns.into_iter().enumerate().take(panels.words - word) {
                // SAFETY: `lane` is a multiple of 16 and `word + i` below the panels' words: both are in the panels.
                unsafe { panels.write(lane, word + i, column) };
            }
        }
    }
}
