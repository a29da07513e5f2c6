//! a + b: what the gradients of two uses of a tensor amount to.

use burn::backend::TensorMetadata;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType};
use rayon::prelude::*;

use super::memory::{floats, unwritten};

/// Elements that one task takes.
const PER_TASK: usize = 16 * 1024;

/// a + b, of one shape.
pub(crate) fn sum(a: FlexTensor, b: FlexTensor) -> FlexTensor {
    let (a, b) = (a.to_contiguous(), b.to_contiguous());
    assert_eq!(a.shape(), b.shape(), "gradients of one tensor");
    let mut sums = unwritten(floats(&a).len());
    let tasks = sums.par_chunks_mut(PER_TASK).zip(floats(&a).par_chunks(PER_TASK));
    tasks.zip(floats(&b).par_chunks(PER_TASK)).for_each(|((sums, a), b)| {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum = a + b);
    });
    FlexTensor::new(Bytes::from_elems(sums), Layout::contiguous(a.shape()), DType::F32)
}
