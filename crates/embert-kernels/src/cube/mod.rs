//! What kernels in CubeCL share, for Burn's GPU backends: each kernel is written once, for WGPU and for CUDA.
//!
//! There are kernels for operations that Burn's own fusion leaves in many launches or with a matrix of size length² in
//! memory. No kernel needs more than 256 units in a cube or 16 KiB of shared memory, what every WebGPU device has, nor
//! operations across the units of a plane; none uses atomics, and every sum has a fixed order.

pub(crate) mod memory;

use burn::backend::Cube;

use crate::autodiff::CustomBackend;

impl CustomBackend for Cube {}
