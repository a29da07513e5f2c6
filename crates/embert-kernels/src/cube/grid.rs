//! The number of cubes of a launch, and the number of lanes of a vector.

use cubecl::prelude::CubeCount;

/// The maximum number of cubes in one dimension. All devices allow 65,535.
const MAX_CUBES_X: usize = 1024;

/// Returns a grid of at least this number of cubes. A kernel skips the cubes after the last one.
pub(crate) fn grid(cubes: usize) -> CubeCount {
    let across = cubes.clamp(1, MAX_CUBES_X);
    CubeCount::Static(across as u32, cubes.div_ceil(across) as u32, 1)
}

/// Returns the number of elements of a vector load from rows of `columns` elements: 4, 2 or 1.
pub(crate) fn lanes(columns: usize) -> usize {
    [4, 2, 1].into_iter().find(|&lanes| columns.is_multiple_of(lanes)).unwrap_or(1)
}
