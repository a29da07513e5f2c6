//! Products in fp32: a tile of MR × (NV vectors), one fused multiply-add for each vector and position along k.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

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
        count: usize,
        panels: *mut u32,
    ) {
        // SAFETY: sixteen lanes mean AVX-512; the rest is the caller's.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if S::F32_LANES == 16 {
                return pack_avx512(source, row, k, words, width, count, panels);
            }
            pack(source, row, k, words, width, count, panels);
        }
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

/// Any matrix, any width.
unsafe fn pack(
    source: Matrix<'_>,
    row: usize,
    k: usize,
    words: usize,
    width: usize,
    count: usize,
    panels: *mut u32,
) {
    for lane in 0..count * width {
        let panel = panels.wrapping_add(lane / width * words * width + lane % width);
        for word in 0..words {
            let inside = row + lane < source.rows;
            // SAFETY: the caller's panels have the room; the source is read where it is.
            unsafe {
                let value = if inside { *source.at(row + lane, k + word) } else { 0.0 };
                *panel.add(word * width) = value.to_bits();
            }
        }
    }
}

/// Numbers as they are: one in a word.
#[cfg(target_arch = "x86_64")]
struct Exact;

#[cfg(target_arch = "x86_64")]
impl super::pack::Words for Exact {
    const NUMBERS: usize = 1;

    #[inline(always)]
    unsafe fn across(at: *const f32, _: usize, read: __mmask16, _: __mmask16) -> __m512i {
        // SAFETY: the caller's mask.
        unsafe { _mm512_maskz_loadu_epi32(read, at.cast()) }
    }

    #[inline(always)]
    unsafe fn along(at: *const f32, numbers: usize) -> __m512i {
        // SAFETY: so many numbers are there.
        unsafe { _mm512_maskz_loadu_epi32(super::pack::first(numbers), at.cast()) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn pack_avx512(
    source: Matrix<'_>,
    row: usize,
    k: usize,
    words: usize,
    width: usize,
    count: usize,
    panels: *mut u32,
) {
    // SAFETY: the caller's.
    unsafe { super::pack::pack::<Exact>(source, row, k, words, width, count, panels) }
}
