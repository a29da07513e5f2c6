//! The bf16 microkernel (AVX512-BF16): operands are rounded to bf16, products are summed in fp32.
//!
//! One instruction does two multiply-adds for each lane.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use super::kernel::{Kernel, Panels, Tile, TileInit};
use super::matrix::Matrix;
use super::pack::{PackFormat, mask_of_first};

/// A tile of MR rows and NV vectors of 16 numbers. A value exists only if the processor has AVX512-BF16.
#[derive(Clone, Copy)]
pub(crate) struct Bf16<const MR: usize, const NV: usize>(());

impl<const MR: usize, const NV: usize> Bf16<MR, NV> {
    /// Returns the kernel if the processor has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512bf16");
        found.then_some(Self(()))
    }
}

impl<const MR: usize, const NV: usize> Kernel for Bf16<MR, NV> {
    const MR: usize = MR;
    const NR: usize = 16 * NV;
    const ELEMENTS_PER_WORD: usize = 2;

    /// # Safety
    /// The requirements of [`Kernel::pack_left`].
    unsafe fn pack_left(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller guarantees the requirements of `Kernel::pack_left`. Only `detect` creates a `Self`,
        // after it found the instructions. The width is MR, and `Cpu` selects MR = 8.
        unsafe { pack(source, row, k, panels) }
    }

    /// # Safety
    /// The requirements of [`Kernel::pack_right`].
    unsafe fn pack_right(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller guarantees the requirements of `Kernel::pack_right`. Only `detect` creates a `Self`,
        // after it found the instructions. The width is NR = 16 · NV.
        unsafe { pack(source, row, k, panels) }
    }

    /// # Safety
    /// The requirements of [`Kernel::multiply_panels`].
    unsafe fn multiply_panels(self, k_words: usize, a: *const u32, b: *const u32, tile: Tile) {
        // SAFETY: the caller guarantees the requirements of `Kernel::multiply_panels`. Only `detect` creates
        // a `Self`, after it found the instructions.
        unsafe { multiply_panels::<MR, NV>(k_words, a, b, tile) }
    }
}

/// # Safety
/// The requirements of [`Kernel::multiply_panels`]. In addition, the processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn multiply_panels<const MR: usize, const NV: usize>(
    k_words: usize,
    mut a: *const u32,
    mut b: *const u32,
    tile: Tile,
) {
    let mut c = [[_mm512_setzero_ps(); NV]; MR];
    // SAFETY: in iteration n of the loop, `a` points to word n · MR of a panel of `k_words` · MR words. `b`
    // points to word n · 16 · NV of a panel of `k_words` · 16 · NV words. The caller guarantees that both
    // panels are initialized. The reads stay inside iteration n's MR and 16 · NV words. Row i < MR and vector
    // v < NV of the tile are inside its MR rows of 16 · NV numbers, which are valid for writes. The bias has
    // 16 · NV numbers. The tile is read only for `TileInit::Current`, where it is initialized. All vector
    // loads and stores are unaligned.
    unsafe {
        for _ in 0..k_words {
            let mut columns = [_mm512_setzero_si512(); NV];
            for (v, column) in columns.iter_mut().enumerate() {
                *column = _mm512_loadu_si512(b.add(16 * v).cast());
            }
            for (i, c) in c.iter_mut().enumerate() {
                let row = pairs(_mm512_set1_epi32(*a.add(i) as i32));
                for (c, &column) in c.iter_mut().zip(&columns) {
                    *c = _mm512_dpbf16_ps(*c, row, pairs(column));
                }
            }
            a = a.add(MR);
            b = b.add(16 * NV);
        }
        for (i, c) in c.into_iter().enumerate() {
            for (v, c) in c.into_iter().enumerate() {
                let element = tile.start.add(i * tile.row_stride + 16 * v);
                let value = match tile.init {
                    TileInit::Zero => c,
                    TileInit::Bias(bias) => _mm512_add_ps(c, _mm512_loadu_ps(bias.add(16 * v))),
                    TileInit::Current => _mm512_add_ps(c, _mm512_loadu_ps(element)),
                };
                _mm512_storeu_ps(element, value);
            }
        }
    }
}

fn pairs(words: __m512i) -> __m512bh {
    // SAFETY: both types have 512 bits, and every bit pattern is a valid value of both.
    unsafe { std::mem::transmute(words) }
}

/// The bf16 format: a word is two numbers, rounded to nearest, ties to even. The first one is in the low
/// half.
pub(super) struct RoundedToBf16;

impl PackFormat for RoundedToBf16 {
    const ELEMENTS_PER_WORD: usize = 2;

    /// # Safety
    /// The requirements of the trait's method.
    #[inline(always)]
    unsafe fn load_across_lanes(
        start: *const f32,
        k_stride: usize,
        read: __mmask16,
        next: __mmask16,
    ) -> __m512i {
        // SAFETY: the masked loads read only the lanes of `read` at `start` and of `next` at
        // `start + k_stride`. The caller guarantees that these are valid. Vector loads need no alignment. The
        // caller guarantees AVX512-BF16.
        unsafe {
            let low = half_words(_mm512_maskz_loadu_ps(read, start));
            let high = half_words(_mm512_maskz_loadu_ps(next, start.wrapping_add(k_stride)));
            _mm512_or_si512(low, _mm512_slli_epi32::<16>(high))
        }
    }

    /// # Safety
    /// The requirements of the trait's method.
    #[inline(always)]
    unsafe fn load_along_k(start: *const f32, len: usize) -> __m512i {
        // SAFETY: the masked loads read only the first `min(len, 32)` numbers, which the caller guarantees to
        // be valid. Vector loads need no alignment. The caller guarantees AVX512-BF16. Both types of the
        // transmute have 512 bits, and every bit pattern is a valid value of both.
        unsafe {
            let low = _mm512_maskz_loadu_ps(mask_of_first(len), start);
            let high = _mm512_maskz_loadu_ps(mask_of_first(len.saturating_sub(16)), start.wrapping_add(16));
            std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
        }
    }
}

/// Rounds 16 numbers to bf16, in the low halves of 16 words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn half_words(numbers: __m512) -> __m512i {
    let rounded = _mm512_cvtneps_pbh(numbers);
    // SAFETY: both types have 256 bits, and every bit pattern is a valid value of both.
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute::<__m256bh, __m256i>(rounded) })
}

/// # Safety
/// The requirements of [`Kernel::pack_right`], but the width of the panels is 8 or a multiple of 16. In addition, the
/// processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn pack(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller guarantees the requirements of `pack::pack`. This function enables all instructions
    // that `RoundedToBf16` uses.
    unsafe { super::pack::pack::<RoundedToBf16>(source, row, k, panels) }
}
