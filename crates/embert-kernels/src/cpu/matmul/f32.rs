//! Products in fp32: a tile of MR × (NV vectors), one fused multiply-add for each vector and position along k.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use pulp::{Simd, WithSimd};

use super::kernel::{From, Kernel, Panels, Tile};
use super::matrix::Matrix;

/// MR rows by NV vectors of S in registers.
#[derive(Clone, Copy)]
pub(crate) struct F32<S, const MR: usize, const NV: usize>(pub(crate) S);

impl<S: Simd, const MR: usize, const NV: usize> Kernel for F32<S, MR, NV> {
    const MR: usize = MR;
    const NR: usize = NV * S::F32_LANES;
    const PER_WORD: usize = 1;

    /// # Safety
    /// As in [`Kernel::pack`].
    unsafe fn pack(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller promises what both functions need of the panels. Only pulp's AVX-512 type has 16 lanes, and a
        // value of it exists only where AVX-512F was detected. MR and NR are then 8 and a multiple of 16.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if S::F32_LANES == 16 {
                return pack_avx512(source, row, k, panels);
            }
            pack(source, row, k, panels);
        }
    }

    /// # Safety
    /// As in [`Kernel::tile`].
    #[inline(always)]
    unsafe fn tile(self, words: usize, a: *const u32, b: *const u32, tile: Tile) {
        let (a, b) = (a.cast(), b.cast());
        self.0.vectorize(Product::<MR, NV> { words, a, b, tile });
    }
}

/// A·B of two panels, whose pointers are as [`Kernel::tile`] asks: only that function makes one.
struct Product<const MR: usize, const NV: usize> {
    words: usize,
    a: *const f32,
    b: *const f32,
    tile: Tile,
}

impl<const MR: usize, const NV: usize> WithSimd for Product<MR, NV> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = S::F32_LANES;
        let mut c = [[simd.splat_f32s(0.0); NV]; MR];
        // SAFETY: step by step `a` and `b` move through panels of `words` positions, MR and NV · lanes numbers each. Row i and
        // vector v of the tile are inside its MR rows of NV · lanes numbers, which can be written; a start is read only as
        // `from` says. Reads and writes are unaligned.
        unsafe {
            for _ in 0..self.words {
                let columns: [S::f32s; NV] = std::array::from_fn(|v| load::<S>(self.b.add(v * lanes)));
                for (i, c) in c.iter_mut().enumerate() {
                    let row = simd.splat_f32s(*self.a.add(i));
                    for (c, &column) in c.iter_mut().zip(&columns) {
                        *c = simd.mul_add_e_f32s(row, column, *c);
                    }
                }
                self.a = self.a.add(MR);
                self.b = self.b.add(NV * lanes);
            }
            let Tile { from, to, stride } = self.tile;
            for (i, c) in c.into_iter().enumerate() {
                for (v, c) in c.into_iter().enumerate() {
                    let to = to.add(i * stride + v * lanes);
                    let value = match from {
                        From::Zero => c,
                        From::Row(row) => simd.add_f32s(c, load::<S>(row.add(v * lanes))),
                        From::Tile => simd.add_f32s(c, load::<S>(to)),
                    };
                    to.cast::<S::f32s>().write_unaligned(value);
                }
            }
        }
    }
}

/// # Safety
/// A vector can be read at `at`, aligned or not.
#[inline(always)]
unsafe fn load<S: Simd>(at: *const f32) -> S::f32s {
    // SAFETY: the caller promises a vector's numbers there, and the read needs no alignment.
    unsafe { at.cast::<S::f32s>().read_unaligned() }
}

/// Any matrix, any width.
///
/// # Safety
/// As in [`Kernel::pack`].
unsafe fn pack(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    let Panels { start, words, width, count } = panels;
    for lane in 0..count * width {
        let panel = start.wrapping_add(lane / width * words * width + lane % width);
        for word in 0..words {
            let inside = row + lane < source.rows;
            // SAFETY: lane and word are inside the panels, which can be written. The source is read at a row that it has, and
            // at columns that it has: its words are as many as the columns from `k` on, since a word is one number here.
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

    /// # Safety
    /// As in the trait.
    #[inline(always)]
    unsafe fn across(at: *const f32, _: usize, read: __mmask16, _: __mmask16) -> __m512i {
        // SAFETY: the load reads the lanes of the mask alone, which the caller promises, as AVX-512F.
        unsafe { _mm512_maskz_loadu_epi32(read, at.cast()) }
    }

    /// # Safety
    /// As in the trait.
    #[inline(always)]
    unsafe fn along(at: *const f32, numbers: usize) -> __m512i {
        // SAFETY: the load reads the first `numbers` numbers alone, which the caller promises, as AVX-512F.
        unsafe { _mm512_maskz_loadu_epi32(super::pack::first(numbers), at.cast()) }
    }
}

/// # Safety
/// As in [`Kernel::pack`]; the panels' width is 8 or a multiple of 16, and the processor has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn pack_avx512(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller promises what `pack` needs, and this function has AVX-512F, all that `Exact` uses.
    unsafe { super::pack::pack::<Exact>(source, row, k, panels) }
}
