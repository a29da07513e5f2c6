//! Transposes 16 × 16 words in AVX-512 registers, with 64 shuffles.

use std::arch::x86_64::*;

/// Returns the transpose: word j of row i becomes word i of row j.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose_16x16(r: [__m512i; 16]) -> [__m512i; 16] {
    let mut a = [_mm512_setzero_si512(); 16]; // pairs of rows, by 32 bits
    for i in 0..8 {
        a[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        a[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    let mut b = [_mm512_setzero_si512(); 16]; // four rows, by 64 bits: b[4i + c] holds columns c, 4 + c, 8 + c, 12 + c
    for i in 0..4 {
        b[4 * i] = _mm512_unpacklo_epi64(a[4 * i], a[4 * i + 2]);
        b[4 * i + 1] = _mm512_unpackhi_epi64(a[4 * i], a[4 * i + 2]);
        b[4 * i + 2] = _mm512_unpacklo_epi64(a[4 * i + 1], a[4 * i + 3]);
        b[4 * i + 3] = _mm512_unpackhi_epi64(a[4 * i + 1], a[4 * i + 3]);
    }
    let mut out = [_mm512_setzero_si512(); 16];
    for c in 0..4 {
        let low = _mm512_shuffle_i32x4::<0x88>(b[c], b[4 + c]); // rows 0-7 of columns c, 8 + c
        let high = _mm512_shuffle_i32x4::<0xdd>(b[c], b[4 + c]); // rows 0-7 of columns 4 + c, 12 + c
        let low2 = _mm512_shuffle_i32x4::<0x88>(b[8 + c], b[12 + c]); // rows 8-15
        let high2 = _mm512_shuffle_i32x4::<0xdd>(b[8 + c], b[12 + c]);
        out[c] = _mm512_shuffle_i32x4::<0x88>(low, low2);
        out[8 + c] = _mm512_shuffle_i32x4::<0xdd>(low, low2);
        out[4 + c] = _mm512_shuffle_i32x4::<0x88>(high, high2);
        out[12 + c] = _mm512_shuffle_i32x4::<0xdd>(high, high2);
    }
    out
}
