//! Packing with AVX-512: one word of 16 lanes at a time, or 16 × 16 words that are transposed in registers.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use super::kernel::Panels;
use super::matrix::Matrix;
use super::transpose::transpose_16x16;

/// The conversion of f32 numbers to packed words.
pub(super) trait PackFormat {
    /// The number of elements in one word.
    const ELEMENTS_PER_WORD: usize;

    /// Loads one word of 16 adjacent lanes. The second number of a word, if it has one, is `k_stride` further
    /// in memory.
    ///
    /// # Safety
    /// - For each lane i of the mask `read`, `start + i` is valid for reads.
    /// - For each lane i of the mask `next`, `start + k_stride + i` is valid for reads.
    /// - The processor has the instructions of this format.
    unsafe fn load_across_lanes(
        start: *const f32,
        k_stride: usize,
        read: __mmask16,
        next: __mmask16,
    ) -> __m512i;

    /// Loads 16 words of one lane, whose numbers are adjacent in memory. Numbers after the first `len` become
    /// zero.
    ///
    /// # Safety
    /// - `start` is valid for reads of `min(len, 16 · ELEMENTS_PER_WORD)` numbers.
    /// - The processor has the instructions of this format.
    unsafe fn load_along_k(start: *const f32, len: usize) -> __m512i;
}

impl Panels {
    /// Returns the number of lanes of all panels.
    fn lanes(self) -> usize {
        self.count * self.width
    }

    /// Writes word `word` of the lanes `lane..lane + 16`. Lanes after the last panel are dropped.
    ///
    /// # Safety
    /// - `lane` is a multiple of 16 and below `self.lanes()`, and `word` is below `self.k_words`.
    /// - The width of the panels is 8 or a multiple of 16.
    /// - `self.start` points to `count · width · k_words` words that are valid for writes, and no other
    ///   thread accesses them.
    /// - The processor has AVX-512F.
    #[inline(always)]
    unsafe fn write(self, lane: usize, word: usize, values: __m512i) {
        let ptr = |lane: usize| {
            let offset = (lane / self.width * self.k_words + word) * self.width + lane % self.width;
            self.start.wrapping_add(offset)
        };
        // SAFETY: `ptr(lane)` is word `word` of that lane's panel, so it points into the panels' memory. If
        // the width is a multiple of 16, the 16 lanes from `lane` on are in one panel and adjacent. If the
        // width is 8, lanes `lane..lane + 8` are one panel. The next 8 lanes are written only if there is
        // another panel. The stores need no alignment, and the caller guarantees AVX-512F and exclusive
        // access.
        unsafe {
            if self.width != 8 {
                return _mm512_storeu_si512(ptr(lane).cast(), values);
            }
            _mm256_storeu_si256(ptr(lane).cast(), _mm512_castsi512_si256(values));
            if lane + 8 < self.lanes() {
                _mm256_storeu_si256(ptr(lane + 8).cast(), _mm512_extracti64x4_epi64::<1>(values));
            }
        }
    }
}

/// Returns a mask of the first `count` of 16 lanes.
#[inline(always)]
pub(super) fn mask_of_first(count: usize) -> __mmask16 {
    (1u32 << count.min(16)).wrapping_sub(1) as u16
}

/// Returns the lanes to read at k and at k + 1, if `lanes` lanes and `len` numbers along k are left.
#[inline(always)]
fn masks(lanes: usize, len: usize) -> [__mmask16; 2] {
    let read = mask_of_first(lanes);
    [if len > 0 { read } else { 0 }, if len > 1 { read } else { 0 }]
}

/// Packs the rows `row..` and the columns `k..` of `source` into panels. Rows and columns after the end
/// become zero.
///
/// # Safety
/// The requirements of [`Kernel::pack_right`](super::Kernel::pack_right), but the width of the panels is 8 or a
/// multiple of 16. In addition, the processor has AVX-512F and the instructions of `F`.
#[inline(always)]
pub(super) unsafe fn pack<F: PackFormat>(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    let lanes = (source.rows - row).min(panels.lanes());
    let len = (panels.k_words * F::ELEMENTS_PER_WORD).min(source.columns - k);
    // SAFETY: the caller guarantees the panels and the instructions. From (row, k) on, `source` has at least
    // `lanes` rows and `len` columns, because of the two `min`. Its memory is borrowed, so these elements are
    // initialized and nobody writes them. One stride of a matrix is 1: `pack_adjacent_lanes` gets a row
    // stride of 1, and `pack_adjacent_k` a column stride of 1.
    unsafe {
        match source.row_stride {
            1 => pack_adjacent_lanes::<F>(source.ptr(row, k), source.column_stride, lanes, len, panels),
            stride => pack_adjacent_k::<F>(source.ptr(row, k), stride, lanes, len, panels),
        }
    }
}

/// Packs a source whose lanes are adjacent in memory.
///
/// # Safety
/// The requirements of [`pack`] on `panels` and the instructions. `start + k · k_stride + lane` is valid for
/// reads if `k < len` and `lane < lanes`.
#[inline(always)]
unsafe fn pack_adjacent_lanes<F: PackFormat>(
    start: *const f32,
    k_stride: usize,
    lanes: usize,
    len: usize,
    panels: Panels,
) {
    for word in 0..panels.k_words {
        let word_start = start.wrapping_add(word * F::ELEMENTS_PER_WORD * k_stride);
        for lane in (0..panels.lanes()).step_by(16) {
            let [read, next] =
                masks(lanes.saturating_sub(lane), len.saturating_sub(word * F::ELEMENTS_PER_WORD));
            // SAFETY: the masks enable only lanes below `lanes`, and only if k or k + 1 is below `len`. So all
            // loads are in bounds. `lane` is a multiple of 16 below `panels.lanes()`, and `word` is below
            // `k_words`, as `write` requires.
            unsafe {
                panels.write(
                    lane,
                    word,
                    F::load_across_lanes(word_start.wrapping_add(lane), k_stride, read, next),
                )
            };
        }
    }
}

/// Packs a source whose numbers are adjacent along k.
///
/// # Safety
/// The requirements of [`pack`] on `panels` and the instructions. `start + lane · row_stride + k` is valid
/// for reads if `k < len` and `lane < lanes`.
#[inline(always)]
unsafe fn pack_adjacent_k<F: PackFormat>(
    start: *const f32,
    row_stride: usize,
    lanes: usize,
    len: usize,
    panels: Panels,
) {
    for lane in (0..panels.lanes()).step_by(16) {
        for word in (0..panels.k_words).step_by(16) {
            let k = word * F::ELEMENTS_PER_WORD;
            let (first, left) = (start.wrapping_add(lane * row_stride + k), lanes.saturating_sub(lane));
            // SAFETY: from `lane` and k on, the source has `left` rows and `len - k` columns, or none. The caller
            // guarantees the rest.
            let rows = unsafe { tile_of_adjacent_k::<F>(first, row_stride, left, len.saturating_sub(k)) };
            // SAFETY: the caller guarantees AVX-512F, which is all that the function needs.
            let columns = unsafe { transpose_16x16(rows) };
            for (i, column) in columns.into_iter().enumerate().take(panels.k_words - word) {
                // SAFETY: `lane` is a multiple of 16 below `panels.lanes()`, and `word + i` is below
                // `k_words` because of the `take`. The caller guarantees the rest.
                unsafe { panels.write(lane, word + i, column) };
            }
        }
    }
}

/// Packs the rows `row..` and the columns `k..` of `source` into panels of tiles, `[k_words / 16, width / 16]` tiles of
/// `[16 rows, 16 words]`. Rows and columns after the end become zero.
///
/// # Safety
/// The requirements of [`Kernel::pack_left`](super::Kernel::pack_left). In addition, the width of the panels and their
/// length along k are multiples of 16, and the processor has AVX-512F and the instructions of `F`.
#[inline(always)]
pub(super) unsafe fn pack_tiles<F: PackFormat>(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    let Panels { start, k_words, width, .. } = panels;
    for lane in (0..panels.lanes()).step_by(16) {
        let panel = start.wrapping_add(lane / width * k_words * width + lane % width * 16);
        let lanes = (source.rows - row).saturating_sub(lane);
        for word in (0..k_words).step_by(16) {
            let at = k + word * F::ELEMENTS_PER_WORD;
            let len = source.columns.saturating_sub(at);
            let first = source.ptr(row + lane.min(source.rows - row), at.min(source.columns));
            // SAFETY: from row `row + lane` and column `at` on, the source has `lanes` rows and `len` columns, or
            // none. A tile has 256 words: those of word `word` and lane `lane` begin `word · width + lane % width ·
            // 16` words after the panel's start, and are inside it.
            unsafe {
                let rows = match source.row_stride {
                    1 => tile_of_adjacent_lanes::<F>(first, source.column_stride, lanes, len),
                    stride => tile_of_adjacent_k::<F>(first, stride, lanes, len),
                };
                for (i, row) in rows.into_iter().enumerate() {
                    _mm512_storeu_si512(panel.wrapping_add(word * width + i * 16).cast(), row);
                }
            }
        }
    }
}

/// Returns 16 rows of 16 words, of a source whose lanes are adjacent in memory.
///
/// # Safety
/// `start + k · k_stride + lane` is valid for reads if `k < len` and `lane < lanes`. The processor has AVX-512F and the
/// instructions of `F`.
#[inline(always)]
unsafe fn tile_of_adjacent_lanes<F: PackFormat>(
    start: *const f32,
    k_stride: usize,
    lanes: usize,
    len: usize,
) -> [__m512i; 16] {
    // SAFETY: the masks enable only lanes below `lanes`, and only if k or k + 1 is below `len`, so the caller guarantees
    // all loads and the instructions.
    unsafe {
        let mut words = [_mm512_setzero_si512(); 16];
        for (i, word) in words.iter_mut().enumerate() {
            let k = i * F::ELEMENTS_PER_WORD;
            let [read, next] = masks(lanes, len.saturating_sub(k));
            *word = F::load_across_lanes(start.wrapping_add(k * k_stride), k_stride, read, next);
        }
        transpose_16x16(words)
    }
}

/// Returns 16 rows of 16 words, of a source whose numbers are adjacent along k.
///
/// # Safety
/// `start + lane · row_stride + k` is valid for reads if `k < len` and `lane < lanes`. The processor has AVX-512F and the
/// instructions of `F`.
#[inline(always)]
unsafe fn tile_of_adjacent_k<F: PackFormat>(
    start: *const f32,
    row_stride: usize,
    lanes: usize,
    len: usize,
) -> [__m512i; 16] {
    // SAFETY: a row below `lanes` has `len` numbers, and `load_along_k` reads at most that many. The caller guarantees
    // the instructions.
    unsafe {
        let mut rows = [_mm512_setzero_si512(); 16];
        for (i, row) in rows.iter_mut().enumerate().take(lanes) {
            *row = F::load_along_k(start.wrapping_add(i * row_stride), len);
        }
        rows
    }
}
