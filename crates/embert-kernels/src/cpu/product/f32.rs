//! Products in fp32: a tile of MR × (NV vectors), one fused multiply-add for each vector and position along k.

use std::mem::size_of;

use pulp::{Simd, WithSimd};

use super::kernel::{From, Kernel};
use super::matrix::Matrix;

/// MR rows by NV vectors of S in registers.
#[derive(Clone, Copy)]
pub(crate) struct F32<S, const MR: usize, const NV: usize>(pub(crate) S);

impl<S: Simd, const MR: usize, const NV: usize> Kernel for F32<S, MR, NV> {
    const MR: usize = MR;
    const NR: usize = NV * S::F32_LANES;
    const PER_WORD: usize = 1;

    unsafe fn pack(
        self,
        source: Matrix<'_>,
        row: usize,
        k: usize,
        words: usize,
        width: usize,
        panel: *mut u32,
    ) {
        // SAFETY: as this function's.
        unsafe { pack(S::F32_LANES == 16, source, row, k, words, width, panel) }
    }

    #[inline(always)]
    unsafe fn tile(
        self,
        words: usize,
        a: *const u32,
        b: *const u32,
        from: From,
        to: *mut f32,
        stride: usize,
    ) {
        struct Tile<const MR: usize, const NV: usize>(usize, *const u32, *const u32, From, *mut f32, usize);
        impl<const MR: usize, const NV: usize> WithSimd for Tile<MR, NV> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                let Self(words, a, b, from, to, stride) = self;
                // SAFETY: as the trait's.
                unsafe { tile::<S, MR, NV>(simd, words, a.cast(), b.cast(), from, to, stride) }
            }
        }
        self.0.vectorize(Tile::<MR, NV>(words, a, b, from, to, stride));
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NV: usize>(
    simd: S,
    words: usize,
    mut a: *const f32,
    mut b: *const f32,
    from: From,
    to: *mut f32,
    stride: usize,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's panels hold `words` positions, `to` a whole tile.
    unsafe {
        let load = |at: *const f32| at.cast::<S::f32s>().read_unaligned();
        let mut c = [[simd.splat_f32s(0.0); NV]; MR];
        for _ in 0..words {
            let mut columns = [simd.splat_f32s(0.0); NV];
            for v in 0..NV {
                columns[v] = load(b.add(v * lanes));
            }
            for i in 0..MR {
                let row = simd.splat_f32s(*a.add(i));
                for v in 0..NV {
                    c[i][v] = simd.mul_add_e_f32s(row, columns[v], c[i][v]);
                }
            }
            a = a.add(MR);
            b = b.add(NV * lanes);
        }
        for i in 0..MR {
            for v in 0..NV {
                let to = to.add(i * stride + v * lanes);
                let value = match from {
                    From::Zero => c[i][v],
                    From::Row(row) => simd.add_f32s(c[i][v], load(row.add(v * lanes))),
                    From::Tile => simd.add_f32s(c[i][v], load(to)),
                };
                to.cast::<S::f32s>().write_unaligned(value);
            }
        }
    }
}

unsafe fn pack(
    avx512: bool,
    source: Matrix<'_>,
    row: usize,
    k: usize,
    words: usize,
    width: usize,
    panel: *mut u32,
) {
    let lanes = width.min(source.rows - row);
    // SAFETY: the caller's panel has room for `words · width` words; the source's elements are read inside its bounds.
    unsafe {
        if lanes < width {
            panel.write_bytes(0, words * width);
        }
        let start = source.at(row, k).cast::<u32>();
        if source.row_stride == 1 {
            for p in 0..words {
                let from = start.add(p * source.column_stride);
                std::ptr::copy_nonoverlapping(from, panel.add(p * width), lanes);
            }
            return;
        }
        let mut p = 0;
        #[cfg(target_arch = "x86_64")]
        if avx512 {
            p = words / 16 * 16;
            pack_transposed(start, source.row_stride, lanes, p, width, panel);
        }
        for lane in 0..lanes {
            for p in p..words {
                *panel.add(p * width + lane) = *start.add(lane * source.row_stride + p);
            }
        }
    }
    let _ = size_of::<u32>();
}

/// Rows that are contiguous along k, 16 × 16 at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn pack_transposed(
    start: *const u32,
    row_stride: usize,
    lanes: usize,
    words: usize,
    width: usize,
    panel: *mut u32,
) {
    use std::arch::x86_64::*;

    use super::transpose::transpose_16x16;
    // SAFETY: `words` is a multiple of 16 and all rows hold so many; the panel has room for them.
    unsafe {
        for p in (0..words).step_by(16) {
            for first in (0..lanes).step_by(16) {
                let count = (lanes - first).min(16);
                let mut rows = [_mm512_setzero_si512(); 16];
                for i in 0..count {
                    rows[i] = _mm512_loadu_si512(start.add((first + i) * row_stride + p).cast());
                }
                let columns = transpose_16x16(rows);
                let mask = (1u32 << count).wrapping_sub(1) as u16;
                for (i, column) in columns.into_iter().enumerate() {
                    _mm512_mask_storeu_epi32(panel.add((p + i) * width + first).cast(), mask, column);
                }
            }
        }
    }
}
