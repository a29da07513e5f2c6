//! The second stage of a sum over rows: Σ of the partial sums of each column.

use cubecl::prelude::*;

/// The number of units of a cube in the second stage.
pub(crate) const UNITS: usize = 256;
/// The number of vectors of columns of a cube.
pub(crate) const VECTORS_PER_CUBE: usize = 8;
/// The number of units that share a column. Each adds every 32nd part.
const GROUPS: usize = UNITS / VECTORS_PER_CUBE;

/// Returns the sum of `num_parts` values, `stride` apart, from `column` on. Only the first eight units of a cube
/// get it. Unit i and the unit 8 after it have the same column. All units must call it.
#[cube]
pub(crate) fn sum_of_parts<N: Size>(
    partial: &[Vector<f32, N>],
    column: usize,
    stride: usize,
    num_parts: usize,
) -> Vector<f32, N> {
    let unit = UNIT_POS as usize;
    let mut sum = Vector::<f32, N>::new(0.0f32);
    let mut part = unit / VECTORS_PER_CUBE;
    while part < num_parts {
        sum += partial[part * stride + column];
        part += GROUPS;
    }
    let mut sums = Shared::<[Vector<f32, N>]>::new_slice(UNITS);
    sums[unit] = sum;
    sync_cube();
    let mut total = Vector::<f32, N>::new(0.0f32);
    if unit < VECTORS_PER_CUBE {
        #[unroll]
        for group in 0..GROUPS {
            total += sums[group * VECTORS_PER_CUBE + unit];
        }
    }
    total
}
