//! A row of a head in registers, in fp32, and its product with a row in memory.

use cubecl::prelude::*;

/// Returns a row in fp32.
#[cube]
pub(super) fn load<E: Float, N: Size>(
    values: &[Vector<E, N>],
    offset: usize,
    #[comptime] vectors: usize,
) -> Array<Vector<f32, N>> {
    let mut row = Array::<Vector<f32, N>>::new(vectors);
    #[unroll]
    for i in 0..vectors {
        row[i] = Vector::cast_from(values[offset + i]);
    }
    row
}

/// Returns row · (the row of `values` at `offset`).
#[cube]
pub(super) fn dot<E: Float, N: Size>(
    row: &Array<Vector<f32, N>>,
    values: &[Vector<E, N>],
    offset: usize,
    #[comptime] vectors: usize,
) -> f32 {
    let mut sum = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for i in 0..vectors {
        sum += row[i] * Vector::cast_from(values[offset + i]);
    }
    sum.vector_sum()
}
