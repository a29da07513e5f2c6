//! Sums over planes (warps, subgroups) of 32 units, without shared memory and without barriers.

use cubecl::client::Client;
use cubecl::features::Plane;
use cubecl::prelude::*;

/// The number of units that share a sum.
pub(crate) const PLANE_UNITS: usize = 32;

/// Returns true if 32 consecutive units of a cube always are in one plane, and planes can exchange values.
pub(crate) fn has_planes(client: &Client) -> bool {
    let properties = client.properties();
    properties.features.plane.contains(Plane::Ops) && properties.hardware.plane_size_min >= PLANE_UNITS as u32
}

/// Returns the sum over 32 consecutive units, the same bits in each of them. All of them must call it.
#[cube]
pub(crate) fn plane_sum_32(value: f32) -> f32 {
    let sum = value + plane_shuffle_xor(value, 16u32);
    let sum = sum + plane_shuffle_xor(sum, 8u32);
    let sum = sum + plane_shuffle_xor(sum, 4u32);
    let sum = sum + plane_shuffle_xor(sum, 2u32);
    sum + plane_shuffle_xor(sum, 1u32)
}
