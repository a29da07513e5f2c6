//! The fp32 microkernel: a tile of MR × (NV vectors), with one fused multiply-add for each vector and
//! position along k.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use pulp::{Simd, WithSimd};

use super::kernel::{Kernel, Panels, Tile, TileInit};
use super::matrix::Matrix;

/// A tile of MR rows and NV vectors of `S`.
#[derive(Clone, Copy)]
pub(crate) struct F32<S, const MR: usize, const NV: usize>(pub(crate) S);

impl<S: Simd, const MR: usize, const NV: usize> Kernel for F32<S, MR, NV> {
    const MR: usize = MR;
    const NR: usize = NV * S::F32_LANES;
    const ELEMENTS_PER_WORD: usize = 1;

    /// # Safety
    /// The requirements of [`Kernel::pack_left`].
    unsafe fn pack_left(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller guarantees the requirements of `Kernel::pack_left`, and `S` is the type of the kernel.
        unsafe { pack_lanes::<S>(source, row, k, panels) }
    }

    /// # Safety
    /// The requirements of [`Kernel::pack_right`].
    unsafe fn pack_right(self, source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
        // SAFETY: the caller guarantees the requirements of `Kernel::pack_right`, and `S` is the type of the kernel.
        unsafe { pack_lanes::<S>(source, row, k, panels) }
    }

    /// # Safety
    /// The requirements of [`Kernel::multiply_panels`].
    #[inline(always)]
    unsafe fn multiply_panels(self, k_words: usize, a: *const u32, b: *const u32, tile: Tile) {
        let (a, b) = (a.cast(), b.cast());
        self.0.vectorize(PanelProduct::<MR, NV> { k_words, a, b, tile });
    }
}

/// The arguments of [`Kernel::multiply_panels`]. Only that function creates this value, so its requirements
/// hold.
struct PanelProduct<const MR: usize, const NV: usize> {
    k_words: usize,
    a: *const f32,
    b: *const f32,
    tile: Tile,
}

impl<const MR: usize, const NV: usize> WithSimd for PanelProduct<MR, NV> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = S::F32_LANES;
        let mut c = [[simd.splat_f32s(0.0); NV]; MR];
        // SAFETY: `multiply_panels` was called with these arguments, so its requirements hold. `S` is the type
        // of the kernel, because `Simd::vectorize` passes itself. So NR is NV · lanes. In iteration n of the
        // loop, `a` points to word n · MR of a panel of `k_words` · MR words. `b` points to word n ·
        // NV · lanes of a panel of `k_words` · NV · lanes words. Both are initialized, and the reads stay
        // inside iteration n's MR and NV · lanes words. Row i < MR and vector v < NV of the tile are inside
        // its MR rows of NV · lanes numbers, which are valid for writes. The bias has NV · lanes numbers. The
        // tile is read only for `TileInit::Current`, where it is initialized. All vector reads and writes are
        // unaligned.
        unsafe {
            for _ in 0..self.k_words {
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
            let Tile { init, start, row_stride } = self.tile;
            for (i, c) in c.into_iter().enumerate() {
                for (v, c) in c.into_iter().enumerate() {
                    let element = start.add(i * row_stride + v * lanes);
                    let value = match init {
                        TileInit::Zero => c,
                        TileInit::Bias(bias) => simd.add_f32s(c, load::<S>(bias.add(v * lanes))),
                        TileInit::Current => simd.add_f32s(c, load::<S>(element)),
                    };
                    element.cast::<S::f32s>().write_unaligned(value);
                }
            }
        }
    }
}

/// # Safety
/// `start` is valid for reads of F32_LANES initialized numbers. It needs only the alignment of `f32`.
#[inline(always)]
unsafe fn load<S: Simd>(start: *const f32) -> S::f32s {
    // SAFETY: the caller guarantees F32_LANES initialized numbers, and `read_unaligned` needs no alignment.
    unsafe { start.cast::<S::f32s>().read_unaligned() }
}

/// Packs any matrix into panels of MR or NR lanes.
///
/// # Safety
/// The requirements of [`Kernel::pack_left`] or [`Kernel::pack_right`] of a kernel with `S`.
unsafe fn pack_lanes<S: Simd>(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller guarantees the requirements, which are all that the generic `pack` needs. `pack_avx512` also
    // needs AVX-512F and a panel width of 8 or a multiple of 16. `Cpu` creates a kernel only for the types of
    // `pulp::Arch`. Of these, only `V4` has 16 lanes, and safe code creates a `V4` only after it detected AVX-512F.
    // With 16 lanes, NR is a multiple of 16. MR is 8: `Cpu` selects MR = 8 for 32 registers, which `V4` has.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if S::F32_LANES == 16 {
            return pack_avx512(source, row, k, panels);
        }
        pack(source, row, k, panels);
    }
}

/// Packs any matrix into panels of any width.
///
/// # Safety
/// The requirements of [`pack_lanes`].
unsafe fn pack(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    let Panels { start, k_words, width, count } = panels;
    for lane in 0..count * width {
        let panel = start.wrapping_add(lane / width * k_words * width + lane % width);
        for word in 0..k_words {
            let inside = row + lane < source.rows;
            // SAFETY: `lane < count · width` and `word < k_words`, so the write is inside the panels' memory,
            // which the caller guarantees. The read happens only if `row + lane` is a row of the source. A
            // word is one number here, so the caller guarantees `k + k_words <= source.columns`, and
            // `k + word` is a column. The source is borrowed, so the element is initialized and nobody writes
            // it.
            unsafe {
                let value = if inside { *source.ptr(row + lane, k + word) } else { 0.0 };
                *panel.add(word * width) = value.to_bits();
            }
        }
    }
}

/// The fp32 format: each word is one number, unchanged.
#[cfg(target_arch = "x86_64")]
struct Fp32;

#[cfg(target_arch = "x86_64")]
impl super::pack::PackFormat for Fp32 {
    const ELEMENTS_PER_WORD: usize = 1;

    /// # Safety
    /// The requirements of the trait's method.
    #[inline(always)]
    unsafe fn load_across_lanes(start: *const f32, _: usize, read: __mmask16, _: __mmask16) -> __m512i {
        // SAFETY: the masked load reads only the lanes of `read`, which the caller guarantees to be valid. It
        // needs no alignment. The caller guarantees AVX-512F.
        unsafe { _mm512_maskz_loadu_epi32(read, start.cast()) }
    }

    /// # Safety
    /// The requirements of the trait's method.
    #[inline(always)]
    unsafe fn load_along_k(start: *const f32, len: usize) -> __m512i {
        // SAFETY: the masked load reads only the first `min(len, 16)` numbers, which the caller guarantees to
        // be valid. It needs no alignment. The caller guarantees AVX-512F.
        unsafe { _mm512_maskz_loadu_epi32(super::pack::mask_of_first(len), start.cast()) }
    }
}

/// # Safety
/// The requirements of [`pack_lanes`]. In addition, the width of the panels is 8 or a multiple of 16, and the
/// processor has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn pack_avx512(source: Matrix<'_>, row: usize, k: usize, panels: Panels) {
    // SAFETY: the caller guarantees the requirements of `pack::pack`. This function enables AVX-512F, which
    // is the only instruction set that `Fp32` uses.
    unsafe { super::pack::pack::<Fp32>(source, row, k, panels) }
}
