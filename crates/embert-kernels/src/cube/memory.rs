//! Buffers on a GPU.

use burn::tensor::{DType, Shape};
use burn_cubecl::ops::numeric::{empty_device_contiguous_dtype, zeros_client};
use burn_cubecl::tensor::CubeTensor;
use cubecl::CubeElement;
use cubecl::ir::{ElemType, FloatKind, IntKind};

/// Returns an uninitialized fp32 tensor on the device of `like`.
pub(crate) fn uninitialized(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    uninitialized_of(like, shape, DType::F32)
}

/// Returns an uninitialized tensor on the device of `like`.
pub(crate) fn uninitialized_of(like: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, shape.into(), dtype)
}

/// Returns fp32 zeros on the device of `like`, with contiguous rows.
pub(crate) fn zeros(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    let shape = shape.into();
    let (client, device) = (like.client.clone(), like.device.clone());
    let flat = zeros_client(client.clone(), device.clone(), Shape::from([shape.num_elements()]), DType::F32);
    CubeTensor::new_contiguous(client, device, shape, flat.handle, DType::F32)
}

/// Returns the tensor itself if nothing else shares its memory, otherwise a copy.
pub(crate) fn writable(x: CubeTensor) -> CubeTensor {
    if x.can_mut() { x } else { x.copy() }
}

/// Uploads integers to the device of `like`. An empty slice becomes a single zero, because a buffer cannot be
/// empty.
pub(crate) fn upload(like: &CubeTensor, values: &[u32]) -> CubeTensor {
    let values = if values.is_empty() { &[0] } else { values };
    let handle = like.client.create_from_slice(u32::as_bytes(values));
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, Shape::from([values.len()]), handle, DType::U32)
}

/// Returns the type of an element in kernels.
///
/// # Panics
/// If no kernel of this crate supports the type.
pub(crate) fn element_type(dtype: DType) -> ElemType {
    match dtype {
        DType::F32 => ElemType::Float(FloatKind::F32),
        DType::F16 => ElemType::Float(FloatKind::F16),
        DType::BF16 => ElemType::Float(FloatKind::BF16),
        DType::I32 => ElemType::Int(IntKind::I32),
        DType::I64 => ElemType::Int(IntKind::I64),
        _ => panic!("no kernel supports {dtype:?}"),
    }
}
