//! Products with operands rounded to bf16 and summed in fp32 (AVX512-BF16): two multiply-adds for each lane and word.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use super::kernel::{From, Kernel};
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

    unsafe fn pack(
        self,
        source: Matrix<'_>,
        row: usize,
        k: usize,
        words: usize,
        width: usize,
        count: usize,
        panels: *mut u32,
    ) {
        // SAFETY: `self` proves the instructions; the rest is the caller's.
        unsafe { pack(source, row, k, words, width, count, panels) }
    }

    unsafe fn tile(
        self,
        words: usize,
        a: *const u32,
        b: *const u32,
        from: From,
        to: *mut f32,
        stride: usize,
    ) {
        // SAFETY: `self` proves the instructions; the rest is the caller's.
        unsafe { tile::<MR, NV>(words, a, b, from, to, stride) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn tile<const MR: usize, const NV: usize>(
    words: usize,
    mut a: *const u32,
    mut b: *const u32,
    from: From,
    to: *mut f32,
    stride: usize,
) {
    // SAFETY: the caller's panels hold `words` positions, `to` a whole tile.
    unsafe {
        let mut c = [[_mm512_setzero_ps(); NV]; MR];
        for _ in 0..words {
            let mut columns = [_mm512_setzero_si512(); NV];
            for v in 0..NV {
                columns[v] = _mm512_loadu_si512(b.add(16 * v).cast());
            }
            for i in 0..MR {
                let row = pairs(_mm512_set1_epi32(*a.add(i) as i32));
                for v in 0..NV {
                    c[i][v] = _mm512_dpbf16_ps(c[i][v], row, pairs(columns[v]));
                }
            }
            a = a.add(MR);
            b = b.add(16 * NV);
        }
        for i in 0..MR {
            for v in 0..NV {
                let to = to.add(i * stride + 16 * v);
                let value = match from {
                    From::Zero => c[i][v],
                    From::Row(row) => _mm512_add_ps(c[i][v], _mm512_loadu_ps(row.add(16 * v))),
                    From::Tile => _mm512_add_ps(c[i][v], _mm512_loadu_ps(to)),
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

    #[inline(always)]
    unsafe fn across(at: *const f32, k_stride: usize, read: __mmask16, next: __mmask16) -> __m512i {
        // SAFETY: the caller's masks.
        unsafe {
            let low = half_words(_mm512_maskz_loadu_ps(read, at));
            let high = half_words(_mm512_maskz_loadu_ps(next, at.wrapping_add(k_stride)));
            _mm512_or_si512(low, _mm512_slli_epi32::<16>(high))
        }
    }

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

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack(
    source: Matrix<'_>,
    row: usize,
    k: usize,
    words: usize,
    width: usize,
    count: usize,
    panels: *mut u32,
) {
    // SAFETY: the caller's.
    unsafe { super::pack::pack::<Rounded>(source, row, k, words, width, count, panels) }
}
