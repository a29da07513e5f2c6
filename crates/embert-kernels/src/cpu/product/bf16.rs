//! Products with operands rounded to bf16 and summed in fp32 (AVX512-BF16): two multiply-adds for each lane and word.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use super::kernel::{From, Kernel, Panels, Tile};
use super::matrix::Matrix;
use super::pack::{Words, first};

/// MR rows by NV vectors of 16 in registers. To hold one is to know that the processor has AVX512-BF16.
#[derive(Clone, Copy)]
pub(crate) struct Bf16<const MR: usize, const NV: usize>(());

impl<const MR: usize, const NV: usize> Bf16<MR, NV> {
    /// The kernel, where the processor has the instructions.
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
    const PER_WORD: usize = 2;

    /// # Safety
    /// The trait's.
    unsafe fn pack(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: `self` proves the instructions; the rest is the caller's.
        unsafe { pack(source, row, k, panels) }
    }

    /// # Safety
    /// The trait's.
    unsafe fn tile(self, words: usize, a: *const u32, b: *const u32, tile: Tile) {
        // SAFETY: `self` proves the instructions; the rest is the caller's.
        unsafe { product::<MR, NV>(words, a, b, tile) }
    }
}

/// # Safety
/// The trait's, and the processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn product<const MR: usize, const NV: usize>(
    words: usize,
    mut a: *const u32,
    mut b: *const u32,
    tile: Tile,
) {
    let mut c = [[_mm512_setzero_ps(); NV]; MR];
    // SAFETY: the panels hold `words` positions, and the tile lies in memory that may be written.
    unsafe {
        for _ in 0..words {
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
                let to = tile.to.add(i * tile.stride + 16 * v);
                let value = match tile.from {
                    From::Zero => c,
                    From::Row(row) => _mm512_add_ps(c, _mm512_loadu_ps(row.add(16 * v))),
                    From::Tile => _mm512_add_ps(c, _mm512_loadu_ps(to)),
                };
                _mm512_storeu_ps(to, value);
            }
        }
    }
}

fn pairs(words: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits without invalid values.
    unsafe { std::mem::transmute(words) }
}

/// Numbers rounded to nearest, ties to even: two in a word, the first in its low half.
struct Rounded;

impl Words for Rounded {
    const NUMBERS: usize = 2;

    /// # Safety
    /// The trait's.
    #[inline(always)]
    unsafe fn across(at: *const f32, k_stride: usize, read: __mmask16, next: __mmask16) -> __m512i {
        // SAFETY: the caller's masks.
        unsafe {
            let low = half_words(_mm512_maskz_loadu_ps(read, at));
            let high = half_words(_mm512_maskz_loadu_ps(next, at.wrapping_add(k_stride)));
            _mm512_or_si512(low, _mm512_slli_epi32::<16>(high))
        }
    }

    /// # Safety
    /// The trait's.
    #[inline(always)]
    unsafe fn along(at: *const f32, numbers: usize) -> __m512i {
        // SAFETY: so many numbers are there.
        unsafe {
            let low = _mm512_maskz_loadu_ps(first(numbers), at);
            let high = _mm512_maskz_loadu_ps(first(numbers.saturating_sub(16)), at.wrapping_add(16));
            std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low))
        }
    }
}

/// 16 numbers as the low halves of 16 words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn half_words(numbers: __m512) -> __m512i {
    let rounded = _mm512_cvtneps_pbh(numbers);
    // SAFETY: both are 256 bits without invalid values.
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute::<__m256bh, __m256i>(rounded) })
}

/// # Safety
/// There is room for the panels, and the processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller's.
    unsafe { super::pack::pack::<Rounded>(source, row, k, panels) }
}
