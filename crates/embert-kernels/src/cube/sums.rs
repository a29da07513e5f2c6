//! The sum over the units of a cube, in shared memory.

use cubecl::prelude::*;

/// The number of units in the second stage.
const SECOND_STAGE_UNITS: usize = 8;

/// Returns the sum over the units of a cube, always in the same order. Eight units add the numbers of all units, and
/// then every unit adds the eight results. `sums` has one number for each unit.
#[cube]
pub(crate) fn sum_of_cube(value: f32, sums: &mut Shared<[f32]>, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube(); // every unit has read the previous sum
    sums[unit] = value;
    sync_cube();
    if unit < SECOND_STAGE_UNITS {
        let mut sum = 0.0f32;
        #[unroll]
        for i in 0..comptime!(units / SECOND_STAGE_UNITS) {
            sum += sums[i * SECOND_STAGE_UNITS + unit];
        }
        sums[unit] = sum; // no other unit reads this before the next sync
    }
    sync_cube();
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..SECOND_STAGE_UNITS {
        sum += sums[i];
    }
    sum
}
