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
    /// As in [`Kernel::pack`].
    unsafe fn pack(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: only `detect` makes a `Self`, after it has found the instructions. The width is MR, 8, or NR, a multiple of
        // 16. The caller promises the panels' memory.
        unsafe { pack(source, row, k, panels) }
    }

    /// # Safety
    /// As in [`Kernel::tile`].
    unsafe fn tile(self, words: usize, a: *const u32, b: *const u32, tile: Tile) {
        // SAFETY: only `detect` makes a `Self`, after it has found the instructions. The caller promises the panels and the
        // tile.
        unsafe { product::<MR, NV>(words, a, b, tile) }
    }
}

/// # Safety
/// As in [`Kernel::tile`], and the processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn product<const MR: usize, const NV: usize>(
    words: usize,
    mut a: *const u32,
    mut b: *const u32,
    tile: Tile,
) {
    let mut c = [[_mm512_setzero_ps(); NV]; MR];
    // SAFETY: step by step `a` and `b` move through panels of `words` positions, MR and 16 · NV words each. Row i and vector v
    // of the tile are inside its MR rows of 16 · NV numbers, which can be written; a start is read only as `from` says.
    // Loads and stores are unaligned.
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
    // SAFETY: both types have 512 bits, and every pattern of bits is a value of both.
    unsafe { std::mem::transmute(words) }
}

/// Numbers rounded to nearest, ties to even: two in a word, the first in its low half.
struct Rounded;

impl Words for Rounded {
    const NUMBERS: usize = 2;

    /// # Safety
    /// As in the trait.
    #[inline(always)]
    unsafe fn across(at: *const f32, k_stride: usize, read: __mmask16, next: __mmask16) -> __m512i {
        // SAFETY: the loads read the lanes of their masks alone, which the caller promises, as AVX512-BF16.
        unsafe {
            let low = half_words(_mm512_maskz_loadu_ps(read, at));
            let high = half_words(_mm512_maskz_loadu_ps(next, at.wrapping_add(k_stride)));
            _mm512_or_si512(low, _mm512_slli_epi32::<16>(high))
        }
    }

    /// # Safety
    /// As in the trait.
    #[inline(always)]
    unsafe fn along(at: *const f32, numbers: usize) -> __m512i {
        // SAFETY: the loads read the first `numbers` of 32 numbers alone, which the caller promises, as AVX512-BF16. Both types
        // of the transmute have 512 bits, and every pattern of bits is a value of both.
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
    // SAFETY: both types have 256 bits, and every pattern of bits is a value of both.
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute::<__m256bh, __m256i>(rounded) })
}

/// # Safety
/// As in [`Kernel::pack`]; the panels' width is 8 or a multiple of 16, and the processor has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller promises what `pack` needs, and this function has all instructions that `Rounded` uses.
    unsafe { super::pack::pack::<Rounded>(source, row, k, panels) }
}
