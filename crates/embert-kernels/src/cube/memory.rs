//! Buffers on a GPU.

use burn::tensor::{DType, Shape};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::CubeElement;

/// Returns an uninitialized fp32 tensor on the device of `like`.
pub(crate) fn uninitialized(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, shape.into(), DType::F32)
}

/// Uploads integers to the device of `like`. An empty slice becomes a single zero, because a buffer cannot be
/// empty.
pub(crate) fn upload(like: &CubeTensor, values: &[u32]) -> CubeTensor {
    let values = if values.is_empty() { &[0] } else { values };
    let handle = like.client.create_from_slice(u32::as_bytes(values));
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, Shape::from([values.len()]), handle, DType::U32)
}
