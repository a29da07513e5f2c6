//! The sum over rows, in two stages: y = Σᵢ partialᵢ of each column.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::grid::lanes;
use super::memory::uninitialized;
use super::parts::{UNITS, VECTORS_PER_CUBE, sum_of_parts};

/// Returns the sums of the columns of `partial`, `[num_parts, columns]`: `[columns]`.
pub(crate) fn column_sums(partial: CubeTensor, num_parts: usize, columns: usize) -> CubeTensor {
    let sums = uninitialized(&partial, [columns]);
    let vectors = columns / lanes(columns);
    add_parts::launch(
        &partial.client.clone(),
        CubeCount::Static(vectors.div_ceil(VECTORS_PER_CUBE) as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        lanes(columns),
        partial.into_buffer_arg(),
        sums.clone().into_buffer_arg(),
        num_parts,
        vectors,
    );
    sums
}

#[cube(launch)]
fn add_parts<N: Size>(
    partial: &[Vector<f32, N>],  // [num_parts, columns]
    sums: &mut [Vector<f32, N>], // [columns]
    num_parts: usize,
    #[comptime] vectors: usize,
) {
    let column = CUBE_POS_X as usize * VECTORS_PER_CUBE + UNIT_POS as usize % VECTORS_PER_CUBE;
    let sum = sum_of_parts::<N>(partial, min(column, comptime!(vectors - 1)), vectors, num_parts);
    if (UNIT_POS as usize) < VECTORS_PER_CUBE && column < vectors {
        sums[column] = sum;
    }
}
