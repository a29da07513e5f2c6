//! Slices as vectors of the processor: whole ones where they fit, the rest with zeros behind it.

use pulp::Simd;

/// The values from `at` on.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, values: &[f32], at: usize) -> S::f32s {
    let values = &values[at..];
    match values.len() >= S::F32_LANES {
        // SAFETY: so many values are there.
        true => unsafe { values.as_ptr().cast::<S::f32s>().read_unaligned() },
        false => simd.partial_load_f32s(values),
    }
}

/// Writes from `at` on what fits.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, values: &mut [f32], at: usize, vector: S::f32s) {
    let values = &mut values[at..];
    match values.len() >= S::F32_LANES {
        // SAFETY: there is room for so many values.
        true => unsafe { values.as_mut_ptr().cast::<S::f32s>().write_unaligned(vector) },
        false => simd.partial_store_f32s(values, vector),
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
