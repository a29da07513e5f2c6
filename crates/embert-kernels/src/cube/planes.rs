//! Sums over units of a plane (warp, subgroup), without shared memory and without barriers.

use cubecl::client::Client;
use cubecl::features::Plane;
use cubecl::prelude::*;

/// The usual number of units of a plane.
pub(crate) const PLANE_UNITS: usize = 32;

/// Returns true if each group of `units` units of a cube is in one plane, and they can exchange values. `units` is a
/// power of two.
pub(crate) fn has_planes(client: &Client, units: usize) -> bool {
    let properties = client.properties();
    properties.features.plane.contains(Plane::Ops) && properties.hardware.plane_size_min >= units as u32
}

/// Returns the sum over a group of units, the same bits in each of them. All of them must call it.
#[cube]
pub(crate) fn plane_sum(value: f32, #[comptime] units: usize) -> f32 {
    let mut sum = value;
    #[unroll]
    for step in 0..comptime!(units.trailing_zeros()) {
        sum += plane_shuffle_xor(sum, comptime!(units as u32 >> (step + 1)));
    }
    sum
}
