//! Selects the implementation of an operation by the backend of its tensor.

use burn::tensor::{DType, Device, Tensor};

use crate::precision::Precision;

/// Returns `true` if the CPU implementation supports `x`: an fp32 tensor on Burn's Flex backend.
pub(crate) fn on_cpu<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_flex(&x.device())
}

/// Returns `true` if the GPU implementation supports `x`: an fp32, bf16 or fp16 tensor on one of Burn's CubeCL backends.
pub(crate) fn on_gpu<const D: usize>(x: &Tensor<D>) -> bool {
    #[cfg(feature = "cube")]
    let is_cube = matches!(x.device().inner().as_dispatch(), burn::backend::DispatchDevice::Cube(_));
    #[cfg(not(feature = "cube"))]
    let is_cube = false;
    is_cube && matches!(x.dtype(), DType::F32 | DType::BF16 | DType::F16)
}

/// Returns `true` if operations on `device` return before they finish.
///
/// Reading a result then waits for all earlier operations. Only Burn's CPU backend is synchronous.
pub fn is_asynchronous(device: &Device) -> bool {
    !is_flex(device)
}

/// Returns `true` if a GPU computes in bf16. `false` if it has no bf16, or emulates it slowly: NVIDIA's GPUs before compute
/// capability 8.0.
pub fn supports_bf16(device: &Device) -> bool {
    #[cfg(feature = "cube")]
    let multiplies = crate::cube::tensor_cores::multiplies_bf16(device);
    #[cfg(not(feature = "cube"))]
    let multiplies = true;
    multiplies && device.supports_dtype(DType::BF16)
}

impl Precision {
    /// Returns `true` if operations on Burn's CPU backend round the operands of matrix products to this
    /// precision. The rounded operands are also saved for the backward pass.
    pub fn rounds_on_cpu(self) -> bool {
        #[cfg(feature = "flex")]
        return crate::cpu::rounds_operands(self);
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
