//! Slices as vectors of the processor: whole ones where they fit, the rest with zeros behind it.

use std::mem::MaybeUninit;

use pulp::Simd;

/// The values from `at` on.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, values: &[f32], at: usize) -> S::f32s {
    let values = &values[at..];
    if values.len() >= S::F32_LANES {
        // SAFETY: `S::f32s` is F32_LANES numbers, and the slice has as many; an unaligned read needs no alignment.
        unsafe { values.as_ptr().cast::<S::f32s>().read_unaligned() }
    } else {
        simd.partial_load_f32s(values)
    }
}

/// Writes from `at` on what fits.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, values: &mut [f32], at: usize, vector: S::f32s) {
    // SAFETY: both element types have one layout, and `store_uninit` only writes numbers: the slice stays initialized.
    let slots = unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<f32>]) };
    store_uninit(simd, slots, at, vector);
}

/// [`store`] to memory that may be uninitialized: afterwards the numbers that fit are initialized.
#[inline(always)]
pub(crate) fn store_uninit<S: Simd>(simd: S, slots: &mut [MaybeUninit<f32>], at: usize, vector: S::f32s) {
    let slots = &mut slots[at..];
    let (start, len) = (slots.as_mut_ptr().cast::<f32>(), slots.len());
    if len >= S::F32_LANES {
        // SAFETY: `S::f32s` is F32_LANES numbers, and the slice has room for them; the write needs no alignment.
        unsafe { start.cast::<S::f32s>().write_unaligned(vector) }
    } else {
        // SAFETY: the mask enables the first `len` lanes alone, and the slice has room for those.
        unsafe { simd.mask_store_ptr_f32s(simd.mask_between_m32s(0, len as u32), start, vector) }
    }
}

/// values\[at..\] += vector
#[inline(always)]
pub(crate) fn add<S: Simd>(simd: S, values: &mut [f32], at: usize, vector: S::f32s) {
    let sum = simd.add_f32s(load(simd, values, at), vector);
    store(simd, values, at, sum);
}

/// Σ aᵢ bᵢ
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = simd.splat_f32s(0.0);
    for at in (0..a.len()).step_by(S::F32_LANES) {
        sum = simd.mul_add_e_f32s(load(simd, a, at), load(simd, b, at), sum);
    }
    simd.reduce_sum_f32s(sum)
}
