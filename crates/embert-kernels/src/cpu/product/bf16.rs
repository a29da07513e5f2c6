//! Products with operands rounded to bf16 and summed in fp32 (AVX512-BF16): two multiply-adds for each lane and word.

#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::*;

use super::kernel::{From, Kernel};
use super::matrix::Matrix;
use super::transpose::transpose_16x16;

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
        panel: *mut u32,
    ) {
        let lanes = width.min(source.rows - row);
        let elements = (2 * words).min(source.columns - k);
        // SAFETY: `self` proves the instructions; the caller's panel has the room, the reads stay inside the source.
        unsafe {
            let start = source.at(row, k);
            if source.row_stride == 1 {
                pack_rows(start, source.column_stride, lanes, elements, width, panel);
            } else {
                pack_transposed(start, source.row_stride, lanes, elements, width, panel);
            }
        }
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

/// 16 values rounded to nearest, ties to even, as the low halves of 16 words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn rounded(values: __m512) -> __m512i {
    let rounded = _mm512_cvtneps_pbh(values);
    // SAFETY: both are 256 bits without invalid values.
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute::<__m256bh, __m256i>(rounded) })
}

fn first(lanes: usize) -> __mmask16 {
    (1u32 << lanes.min(16)).wrapping_sub(1) as u16
}

/// Lanes that lie side by side: two positions along k make the halves of a word.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack_rows(
    start: *const f32,
    k_stride: usize,
    lanes: usize,
    elements: usize,
    width: usize,
    panel: *mut u32,
) {
    // SAFETY: masks keep the reads inside the source's lanes, the stores inside the panel's width.
    unsafe {
        for p in 0..elements.div_ceil(2) {
            for lane in (0..width).step_by(16) {
                let read = first(lanes.saturating_sub(lane));
                let from = start.wrapping_add(2 * p * k_stride + lane);
                let low = rounded(_mm512_maskz_loadu_ps(read, from));
                let next = if 2 * p + 1 < elements { read } else { 0 };
                let high = rounded(_mm512_maskz_loadu_ps(next, from.wrapping_add(k_stride)));
                let words = _mm512_or_si512(low, _mm512_slli_epi32::<16>(high));
                _mm512_mask_storeu_epi32(panel.add(p * width + lane).cast(), first(width - lane), words);
            }
        }
    }
}

/// Rows that are contiguous along k: 16 rows of 16 words at a time, transposed in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack_transposed(
    start: *const f32,
    row_stride: usize,
    lanes: usize,
    elements: usize,
    width: usize,
    panel: *mut u32,
) {
    // SAFETY: masks keep the reads inside the source's rows, the stores inside the panel's width.
    unsafe {
        for k in (0..elements).step_by(32) {
            let low = first(elements - k);
            let high = first((elements - k).saturating_sub(16));
            for lane in (0..width).step_by(16) {
                let mut rows = [_mm512_setzero_si512(); 16];
                for (i, row) in rows.iter_mut().enumerate().take(lanes.saturating_sub(lane)) {
                    let from = start.wrapping_add((lane + i) * row_stride + k);
                    let a = _mm512_maskz_loadu_ps(low, from);
                    let b = _mm512_maskz_loadu_ps(high, from.wrapping_add(16));
                    *row = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(b, a));
                }
                let columns = transpose_16x16(rows);
                let words = (elements - k).div_ceil(2).min(16);
                for (p, column) in columns.into_iter().enumerate().take(words) {
                    let to = panel.add((k / 2 + p) * width + lane);
                    _mm512_mask_storeu_epi32(to.cast(), first(width - lane), column);
                }
            }
        }
    }
}
