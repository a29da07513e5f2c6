//! Mean pooling on the CPU: y = Σ x / length over the rows of a sequence. Each of these rows gets the gradient g / length.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::autodiff::custom_op;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::layout::SequenceLayout;

pub(super) fn mean_pooling(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let sequences = layout.starts().into_iter().zip(layout.lengths.iter().copied()).collect::<Vec<_>>();
    custom_op::<Flex, 1, 2, _>([x.into_dispatch()], |[x], _| {
        let (y, shape) = (means(&x, &sequences), x.shape().dims::<2>());
        (y, move |g: FlexTensor, _| [Some(spread(&g, &sequences, shape))])
    })
}

/// Returns the mean of each sequence's rows, `[sequences, columns]`. Rows are added in order.
fn means(x: &FlexTensor, sequences: &[(usize, usize)]) -> FlexTensor {
    let [_, columns] = x.shape().dims();
    let mut y = vec![0.0; sequences.len() * columns];
    y.par_chunks_mut(columns).zip(sequences).for_each(|(mean, &(start, length))| {
        for row in as_slice(x)[start * columns..(start + length) * columns].chunks_exact(columns) {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        mean.iter_mut().for_each(|sum| *sum /= length as f32);
    });
    from_vec(y, [sequences.len(), columns])
}

/// Returns g / length in each row of a sequence and zeros in padding, `[rows, columns]`.
fn spread(g: &FlexTensor, sequences: &[(usize, usize)], shape @ [rows, columns]: [usize; 2]) -> FlexTensor {
    let mut dx = vec![0.0; rows * columns];
    for (g, &(start, length)) in as_slice(g).chunks_exact(columns).zip(sequences) {
        let rows = &mut dx[start * columns..(start + length) * columns];
        rows.par_chunks_exact_mut(columns).with_min_len(64).for_each(|row| {
            row.iter_mut().zip(g).for_each(|(dx, g)| *dx = g / length as f32);
        });
    }
    from_vec(dx, shape)
}
