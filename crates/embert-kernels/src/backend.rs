//! Which of Burn's backends has a tensor, and so which implementation computes an operation on it.

use burn::tensor::{DType, Device, Tensor};

use crate::precision::Precision;

/// Returns whether the CPU implementation computes an operation on `x`: an fp32 tensor of Burn's CPU backend.
pub(crate) fn on_cpu<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_flex(&x.device())
}

/// Returns whether the GPU implementation computes an operation on `x`: an fp32 tensor of one of Burn's GPU backends.
pub(crate) fn on_gpu<const D: usize>(x: &Tensor<D>) -> bool {
    #[cfg(feature = "cube")]
    let is_cube = matches!(x.device().inner().as_dispatch(), burn::backend::DispatchDevice::Cube(_));
    #[cfg(not(feature = "cube"))]
    let is_cube = false;
    is_cube && x.dtype() == DType::F32
}

/// Returns whether an operation returns before it is done, so that reading its result back waits for all earlier
/// operations: true of every device but Burn's CPU backend.
pub fn is_asynchronous(device: &Device) -> bool {
    !is_flex(device)
}

impl Precision {
    /// Returns whether operations on Burn's CPU backend round operands to it, and keep them so for the backward pass.
    pub fn rounds_on_cpu(self) -> bool {
        #[cfg(feature = "flex")]
        return crate::cpu::rounds(self);
        #[cfg(not(feature = "flex"))]
        false
    }
}

fn is_flex(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return matches!(device.clone().inner().as_dispatch(), burn::backend::DispatchDevice::Flex(_));
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}
