//! Loads and stores of SIMD vectors on slices. The end of a slice may hold only part of a vector.

use std::mem::MaybeUninit;

use pulp::Simd;

/// Loads a vector from `values[offset..]`. Lanes after the end of the slice are zero.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, values: &[f32], offset: usize) -> S::f32s {
    let values = &values[offset..];
    if values.len() >= S::F32_LANES {
        // SAFETY: `S::f32s` consists of F32_LANES `f32` values. The slice contains at least F32_LANES
        // initialized values, so the read is in bounds. `read_unaligned` needs no alignment. The shared
        // borrow excludes writes.
        unsafe { values.as_ptr().cast::<S::f32s>().read_unaligned() }
    } else {
        simd.partial_load_f32s(values)
    }
}

/// Stores a vector to `values[offset..]`. Lanes after the end of the slice are dropped.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, values: &mut [f32], offset: usize, vector: S::f32s) {
    // SAFETY: `MaybeUninit<f32>` has the layout of `f32`, so the cast keeps address and length valid. The new
    // slice replaces the mutable borrow of `values`, so there is no alias. `store_uninit` writes only
    // initialized values, so `values` stays initialized.
    let slots = unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<f32>]) };
    store_uninit(simd, slots, offset, vector);
}

/// Like [`store`], for memory that may be uninitialized. Afterwards the elements that it wrote are
/// initialized.
#[inline(always)]
pub(crate) fn store_uninit<S: Simd>(simd: S, slots: &mut [MaybeUninit<f32>], offset: usize, vector: S::f32s) {
    let slots = &mut slots[offset..];
    let (start, len) = (slots.as_mut_ptr().cast::<f32>(), slots.len());
    if len >= S::F32_LANES {
        // SAFETY: `S::f32s` consists of F32_LANES `f32` values, and the slice has room for them at `start`.
        // `write_unaligned` needs no alignment. The slice is borrowed mutably, so nothing else accesses it.
        unsafe { start.cast::<S::f32s>().write_unaligned(vector) }
    } else {
        // SAFETY: the mask enables lanes 0 to `len - 1`, and `len` is below F32_LANES. Only these lanes are
        // written. The slice has room for them at `start` and is borrowed mutably. `f32` alignment suffices
        // for a masked store.
        unsafe { simd.mask_store_ptr_f32s(simd.mask_between_m32s(0, len as u32), start, vector) }
    }
}

/// Computes `values[offset..] += vector`. Lanes after the end of the slice are ignored.
#[inline(always)]
pub(crate) fn add_assign<S: Simd>(simd: S, values: &mut [f32], offset: usize, vector: S::f32s) {
    let sum = simd.add_f32s(load(simd, values, offset), vector);
    store(simd, values, offset, sum);
}

/// Returns Σ aᵢ·bᵢ.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = simd.splat_f32s(0.0);
    for offset in (0..a.len()).step_by(S::F32_LANES) {
        sum = simd.mul_add_e_f32s(load(simd, a, offset), load(simd, b, offset), sum);
    }
    simd.reduce_sum_f32s(sum)
}
