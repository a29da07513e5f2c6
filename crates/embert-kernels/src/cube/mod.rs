//! Shared code of the CubeCL kernels for Burn's GPU backends. Each kernel is written once, for WGPU and CUDA.
//!
//! An operation has a kernel here if Burn's fusion would need many launches or a matrix of size length² in
//! memory. A kernel uses at most 256 units per cube and 16 KiB of shared memory, which every WebGPU device
//! has. It uses no plane (subgroup) operations and no atomics, and every sum has a fixed order.

pub(crate) mod memory;

use burn::backend::Cube;

use crate::autodiff::CustomBackend;

impl CustomBackend for Cube {}
