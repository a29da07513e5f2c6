//! Shared code of the CubeCL kernels for Burn's GPU backends. Each kernel is written once, for WGPU and CUDA.
//!
//! An operation has a kernel here if Burn's fusion would need many launches or a matrix of size length² in
//! memory. A kernel uses at most 256 units per cube and 16 KiB of shared memory, which every WebGPU device
//! has. It uses plane (subgroup) operations only if the device has them, and no atomics. Every sum has a fixed
//! order.

pub(crate) mod column_sums;
pub(crate) mod exact_matmul;
pub(crate) mod grid;
pub(crate) mod hash;
pub(crate) mod list_op;
pub(crate) mod memory;
pub(crate) mod parts;
pub(crate) mod planes;
pub(crate) mod rows;
pub(crate) mod sums;
pub(crate) mod tensor_cores;

use burn::backend::Cube;

use crate::autodiff::CustomBackend;

impl CustomBackend for Cube {}
