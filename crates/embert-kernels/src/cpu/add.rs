//! Threaded addition of two gradients of one tensor.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::tensors::{as_slice, contiguous};

/// The number of elements in one task.
const ELEMENTS_PER_TASK: usize = 16 * 1024;

/// Returns a + b. Writes to the memory of `a` if no other tensor shares it.
///
/// # Panics
/// If the shapes differ.
pub(crate) fn add(a: FlexTensor, b: FlexTensor) -> FlexTensor {
    let (mut a, b) = (contiguous(a), contiguous(b));
    assert_eq!(a.shape(), b.shape(), "both gradients have the shape of the tensor");
    let sums = a.storage_mut::<f32>().par_chunks_mut(ELEMENTS_PER_TASK);
    sums.zip(as_slice(&b).par_chunks(ELEMENTS_PER_TASK)).for_each(|(sums, b)| {
        sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += b);
    });
    a
}
