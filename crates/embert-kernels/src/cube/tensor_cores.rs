//! Tensor cores of a device: `mma` instructions on planes of 32, and products that round to TF32.

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, FloatDType, Tensor};
use cubecl::client::Client;
use cubecl::ir::features::MmaConfig;
use cubecl::ir::{ElemType, FloatKind};
use cubecl::prelude::Scalar;
use cubecl::tf32;

use crate::precision::Precision;

/// Returns true if linear layers on the device of `x` use tensor cores for this half precision. Their results then stay in it.
pub(crate) fn on_tensor_cores<const D: usize>(x: &Tensor<D>, precision: Precision) -> bool {
    precision.dtype() != FloatDType::F32 && uses_tensor_cores(&x.device(), precision)
}

/// Returns true if the precision is fp32, but Burn rounds fp32 products to TF32 on the device of `x`.
pub(crate) fn needs_exact_products<const D: usize>(x: &Tensor<D>, precision: Precision) -> bool {
    precision == Precision::Fp32 && x.dtype() == DType::F32 && rounds_to_tf32(&x.device())
}

/// Returns the type and the instructions of matrix products on a GPU, for display.
///
/// Example: `"TF32 (tensor cores)"`.
pub fn gpu_instructions(device: &Device, precision: Precision) -> &'static str {
    match (precision, uses_tensor_cores(device, precision)) {
        (Precision::Bf16, true) => "bf16 (tensor cores)",
        (Precision::Fp16, true) => "fp16 (tensor cores)",
        (Precision::Bf16, false) => "bf16",
        (Precision::Fp16, false) => "fp16",
        (Precision::Tf32, _) if rounds_to_tf32(device) => "TF32 (tensor cores)",
        (Precision::Fp32 | Precision::Tf32, _) => "fp32",
    }
}

/// Returns false for a GPU with matrix instructions for fp16 but not for bf16: one of NVIDIA before compute capability 8.0,
/// which emulates bf16 slowly.
pub(crate) fn multiplies_bf16(device: &Device) -> bool {
    client(device).is_none_or(|client| {
        let forms = &client.properties().features.matmul;
        let has = |kind| forms.cmma.iter().chain(&forms.mma).any(|form| form.a_type == ElemType::Float(kind));
        has(FloatKind::BF16) || !has(FloatKind::F16)
    })
}

/// Returns true if Burn rounds the operands of fp32 products to TF32 on this device.
fn rounds_to_tf32(device: &Device) -> bool {
    client(device).is_some_and(|client| client.properties().supports_type(tf32::elem_type_native()))
}

fn uses_tensor_cores(device: &Device, precision: Precision) -> bool {
    client(device).is_some_and(|client| has_tensor_cores(&client, precision))
}

fn client(device: &Device) -> Option<Client> {
    match device.clone().inner().as_dispatch() {
        DispatchDevice::Cube(device) => Some(device.client()),
        _ => None,
    }
}

/// Returns true if the device has `mma` instructions for products in this precision, with sums in fp32.
pub(crate) fn has_tensor_cores(client: &Client, precision: Precision) -> bool {
    let Some(operand) = operand_type(precision) else { return false };
    let (sum, k) = (ElemType::Float(FloatKind::F32), 256 / operand.size_bits() as u32);
    let mma = MmaConfig { a_type: operand, b_type: operand, cd_type: sum, m: 16, n: 8, k };
    let properties = client.properties();
    let planes = (properties.hardware.plane_size_min, properties.hardware.plane_size_max);
    planes == (32, 32) && properties.features.matmul.mma.contains(&mma)
}

/// Returns the type of the operands of tensor cores, or `None` for exact fp32.
pub(crate) fn operand_type(precision: Precision) -> Option<ElemType> {
    let kind = match precision {
        Precision::Fp32 => return None,
        Precision::Tf32 => FloatKind::TF32,
        Precision::Bf16 => FloatKind::BF16,
        Precision::Fp16 => FloatKind::F16,
    };
    Some(ElemType::Float(kind))
}
