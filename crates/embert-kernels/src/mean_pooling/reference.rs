//! Reference implementation of mean pooling.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

use crate::layout::SequenceLayout;
use crate::precision::to_fp32;

/// The mean of the rows of each sequence; see [`mean_pooling`](crate::mean_pooling).
pub fn mean_pooling(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let (hidden, dtype, device) = (x.dims()[1], x.dtype(), x.device());
    let x = to_fp32(x);
    let integers = |values: Vec<i32>| Tensor::<1, Int>::from_data(values.as_slice(), &device);
    let sequences = || layout.starts().into_iter().zip(&layout.lengths).enumerate();
    let rows = sequences().flat_map(|(_, (start, &length))| start as i32..(start + length) as i32);
    let sequence_of_row = sequences().flat_map(|(i, (_, &length))| std::iter::repeat_n(i as i32, length));
    let weights = layout.lengths.iter().flat_map(|&length| std::iter::repeat_n(1.0 / length as f64, length));
    let weights = weights.collect::<Vec<_>>();
    let weights = TensorData::new(weights.clone(), [weights.len(), 1]).convert_dtype(x.dtype());
    let weights = Tensor::<2>::from_data(weights, (&device, x.dtype()));
    let sums = Tensor::<2>::zeros([layout.batch_size(), hidden], (&device, x.dtype()));
    let tokens = x.select(0, integers(rows.collect())) * weights; // [num_tokens without padding, hidden]
    sums.select_assign(0, integers(sequence_of_row.collect()), tokens, IndexingUpdateOp::Add).cast(dtype)
}
