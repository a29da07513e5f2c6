//! The sum over rows, in two stages: y = Σᵢ partialᵢ of each column.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::grid::lanes;
use super::memory::uninitialized;
use super::parts::{UNITS, VECTORS_PER_CUBE, sum_of_parts};

/// Returns the sums over the parts of `partial`, `[num_parts, …shape]`, in this shape.
pub(crate) fn column_sums<const D: usize>(
    partial: CubeTensor,
    num_parts: usize,
    shape: [usize; D],
) -> CubeTensor {
    let (sums, columns) = (uninitialized(&partial, shape), shape.iter().product());
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

/// Returns three sums at once, `[columns]` each. `partial` is `[num_parts, 3, columns]`.
pub(crate) fn column_sums_of_three(partial: CubeTensor) -> [CubeTensor; 3] {
    let [num_parts, _, columns] = partial.shape().dims();
    let sums = [(); 3].map(|()| uninitialized(&partial, [columns]));
    let vectors = columns / lanes(columns);
    let [a, b, c] = sums.clone().map(CubeTensor::into_buffer_arg);
    add_parts_of_three::launch(
        &partial.client.clone(),
        CubeCount::Static(vectors.div_ceil(VECTORS_PER_CUBE) as u32, 3, 1),
        CubeDim::new_1d(UNITS as u32),
        lanes(columns),
        partial.into_buffer_arg(),
        a,
        b,
        c,
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
    vectors: usize,
) {
    let column = CUBE_POS_X as usize * VECTORS_PER_CUBE + UNIT_POS as usize % VECTORS_PER_CUBE;
    let sum = sum_of_parts::<N>(partial, min(column, vectors - 1), vectors, num_parts);
    if (UNIT_POS as usize) < VECTORS_PER_CUBE && column < vectors {
        sums[column] = sum;
    }
}

/// The cubes of each row of the grid have one of the sums.
#[cube(launch)]
fn add_parts_of_three<N: Size>(
    partial: &[Vector<f32, N>], // [num_parts, 3, columns]
    a: &mut [Vector<f32, N>],   // [columns]
    b: &mut [Vector<f32, N>],   // [columns]
    c: &mut [Vector<f32, N>],   // [columns]
    num_parts: usize,
    #[comptime] vectors: usize,
) {
    let column = CUBE_POS_X as usize * VECTORS_PER_CUBE + UNIT_POS as usize % VECTORS_PER_CUBE;
    let offset = CUBE_POS_Y as usize * vectors + min(column, comptime!(vectors - 1));
    let sum = sum_of_parts::<N>(partial, offset, comptime!(3 * vectors), num_parts);
    if (UNIT_POS as usize) < VECTORS_PER_CUBE && column < vectors {
        if CUBE_POS_Y == 0 {
            a[column] = sum;
        } else if CUBE_POS_Y == 1 {
            b[column] = sum;
        } else {
            c[column] = sum;
        }
    }
}
