//! Whether a device has tensor cores for products of a precision: `mma` instructions of 16 × 8 × 16 on planes of 32.

use burn::backend::DispatchDevice;
use burn::tensor::Device;
use cubecl::client::Client;
use cubecl::ir::features::MmaConfig;
use cubecl::ir::{ElemType, FloatKind};

use crate::precision::Precision;

/// Returns true if the device has tensor cores for products of this precision. False for fp32.
pub(crate) fn on_tensor_cores(device: &Device, precision: Precision) -> bool {
    let device = device.clone().inner();
    let DispatchDevice::Cube(device) = device.as_dispatch() else { return false };
    precision != Precision::Fp32 && has_tensor_cores(&device.client(), precision)
}

/// As [`on_tensor_cores`], for the device of a client.
pub(crate) fn has_tensor_cores(client: &Client, precision: Precision) -> bool {
    let kind = match precision {
        Precision::Fp32 => return false,
        Precision::Bf16 => FloatKind::BF16,
        Precision::Fp16 => FloatKind::F16,
    };
    let (operand, sum) = (ElemType::Float(kind), ElemType::Float(FloatKind::F32));
    let mma = MmaConfig { a_type: operand, b_type: operand, cd_type: sum, m: 16, n: 8, k: 16 };
    let properties = client.properties();
    let planes = (properties.hardware.plane_size_min, properties.hardware.plane_size_max);
    planes == (32, 32) && properties.features.matmul.mma.contains(&mma)
}
