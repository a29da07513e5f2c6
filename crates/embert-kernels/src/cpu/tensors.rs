//! Between Burn's tensors and slices.

use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

/// The values of a contiguous fp32 tensor.
pub(crate) fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a contiguous fp32 tensor")
}

/// `x` with its values in order and nothing else in its memory, to be changed in place where nobody else holds it.
pub(crate) fn in_order(x: FlexTensor) -> FlexTensor {
    let in_order = x.to_contiguous();
    drop(x); // it may have been the other holder
    in_order
}

/// A tensor of these values.
pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(shape)), DType::F32)
}

/// Sums of equally long parts, in their order.
pub(crate) fn sum_in_order(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let add = |mut sum: Vec<f32>, part: Vec<f32>| {
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sum
    };
    parts.into_iter().reduce(add).expect("at least one part")
}
