//! The operations in CubeCL, for Burn's GPU backends: each kernel is written once, for WGPU and for CUDA.
//!
//! Here are those that Burn's own fusion leaves in many launches or with a matrix of size length² in memory. No kernel
//! needs more than 256 units in a cube or 16 KiB of shared memory, what every WebGPU device has, nor operations across the
//! units of a plane; none uses atomics, and every sum has a fixed order.

mod attention;
mod dropout;
mod kernels;
mod layer_norm;
mod memory;
mod tape;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Tensor};

pub(crate) use attention::Heads;
pub(crate) use dropout::Mask;
pub(crate) use layer_norm::Norm;
pub(crate) use tape::CubeOps;

/// Whether the operations of this module compute a tensor: one of a GPU backend of Burn, in fp32.
pub(crate) fn computes<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && matches!(x.device().inner().as_dispatch(), DispatchDevice::Cube(_))
}
