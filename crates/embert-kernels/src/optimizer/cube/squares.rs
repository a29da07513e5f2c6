//! The kernels of Σ x² over several tensors: one partial sum for each cube, and then one cube for all of them.

use cubecl::prelude::*;

use crate::cube::sums::sum_of_cube;

/// The number of units of a cube.
pub(super) const UNITS: usize = 256;
/// The number of elements of a unit in the first stage.
const ELEMENTS_PER_UNIT: usize = 64;
/// The number of elements of a cube in the first stage.
pub(super) const ELEMENTS_PER_CUBE: usize = UNITS * ELEMENTS_PER_UNIT;

/// A tensor of the sum.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Addend {
    values: Box<[f32]>,
    length: usize,
    /// The first cube of this tensor.
    first_cube: usize,
    /// The first cube after it.
    end_cube: usize,
}

/// Writes Σ x² of each cube's elements.
#[cube(launch)]
pub(super) fn square_and_sum(
    partial: &mut [f32], // [parts]
    addends: Sequence<Addend>,
    first_part: usize,
    num_cubes: usize,
) {
    let cube = CUBE_POS;
    if cube >= num_cubes {
        terminate!();
    }
    let mut sum = 0.0f32;
    #[unroll]
    for k in 0..addends.len() {
        let addend = addends.index(k);
        if cube >= addend.first_cube && cube < addend.end_cube {
            sum = sum_of_part(addend);
        }
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let sum = sum_of_cube(sum, &mut sums, UNITS);
    if UNIT_POS == 0 {
        partial[first_part + cube] = sum;
    }
}

/// Returns Σ x² of the elements of this unit. Four sums are independent, so that four loads can run at once.
#[cube]
fn sum_of_part(addend: &Addend) -> f32 {
    let first = (CUBE_POS - addend.first_cube) * ELEMENTS_PER_CUBE + UNIT_POS as usize;
    let mut sums = Array::<f32>::new(4usize);
    #[unroll]
    for i in 0..4 {
        sums[i] = 0.0f32;
    }
    for step in 0..comptime!(ELEMENTS_PER_UNIT / 4) {
        #[unroll]
        for i in 0..4 {
            let element = first + (step * 4 + i) * UNITS;
            if element < addend.length {
                let x = addend.values[element];
                sums[i] += x * x;
            }
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Adds all partial sums in one cube.
#[cube(launch)]
pub(super) fn sum_partial_sums(
    partial: &[f32],   // [parts]
    total: &mut [f32], // [1]
    num_parts: usize,
) {
    let mut sum = 0.0f32;
    let mut part = UNIT_POS as usize;
    while part < num_parts {
        sum += partial[part];
        part += UNITS;
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let sum = sum_of_cube(sum, &mut sums, UNITS);
    if UNIT_POS == 0 {
        total[0] = sum;
    }
}
