//! The units (threads) that share a row. A team is a plane of 32 units if the device has planes and the row fits into
//! their registers. Otherwise it is a cube of 128 units, which add in shared memory.

use cubecl::client::Client;
use cubecl::prelude::*;

use crate::cube::planes::{PLANE_UNITS, has_planes, plane_sum};
use crate::cube::sums::sum_of_cube;

/// The number of units of a cube.
pub(super) const UNITS: usize = 128;

/// The units that share a row. It is known when the kernel is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Team {
    pub(super) is_plane: bool,
    pub(super) units: usize,
}

impl Team {
    /// Returns the team for rows of `hidden` columns. `max_columns` is the number of columns for which 32 units have
    /// enough registers.
    pub(super) fn new(client: &Client, hidden: usize, max_columns: usize) -> Self {
        if hidden <= max_columns && has_planes(client, PLANE_UNITS) {
            Self { is_plane: true, units: PLANE_UNITS }
        } else {
            Self { is_plane: false, units: UNITS }
        }
    }

    /// Returns the number of teams of a cube.
    pub(super) fn per_cube(self) -> usize {
        UNITS / self.units
    }
}

/// Returns the number of this unit's team in the launch.
#[cube]
pub(super) fn team_index(#[comptime] team: Team) -> usize {
    CUBE_POS * comptime!(team.per_cube()) + UNIT_POS as usize / comptime!(team.units)
}

/// Returns the number of this unit in its team.
#[cube]
pub(super) fn team_unit(#[comptime] team: Team) -> usize {
    UNIT_POS as usize % comptime!(team.units)
}

/// Returns the sum over the units of a team, always in the same order. All of them must call it.
#[cube]
pub(super) fn sum_of_team<N: Size>(
    values: Vector<f32, N>,
    sums: &mut Shared<[f32]>,
    #[comptime] team: Team,
) -> f32 {
    let value = values.vector_sum();
    if comptime!(team.is_plane) { plane_sum(value, PLANE_UNITS) } else { sum_of_cube(value, sums, UNITS) }
}
