//! Conversions between Burn's tensors and slices.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

/// Returns the values of a contiguous fp32 tensor.
pub(crate) fn as_slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a contiguous fp32 tensor")
}

/// Returns `x` with its values contiguous and nothing else in its memory. It copies only if necessary.
pub(crate) fn contiguous(x: FlexTensor) -> FlexTensor {
    let contiguous = x.to_contiguous();
    drop(x); // otherwise `x` shares the memory and prevents changes in place
    contiguous
}

/// Returns a tensor that owns `values`.
pub(crate) fn from_vec<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(shape)), DType::F32)
}

/// Returns the element-wise sum of parts of equal length, added in order.
///
/// # Panics
/// If there are no parts.
pub(crate) fn sum_in_order(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let add = |mut sum: Vec<f32>, part: Vec<f32>| {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sum
    };
    parts.into_iter().reduce(add).expect("at least one part")
}
