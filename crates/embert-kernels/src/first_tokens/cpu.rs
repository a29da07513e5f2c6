//! y = x\[starts\], and its derivative: g at these rows of a matrix of zeros.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;

use crate::autodiff::operation;
use crate::cpu::tensors::{floats, tensor};
use crate::layout::SequenceLayout;

pub(super) fn first_tokens(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let starts = layout.starts();
    operation::<Flex, 1, 2, _>([x.into_dispatch()], |[x], _| {
        let (y, shape) = (gather(&x, &starts), x.shape().dims::<2>());
        (y, move |g, _| [Some(scatter(&g, &starts, shape))])
    })
}

/// Rows of `[rows, columns]`: `[starts, columns]`.
fn gather(x: &FlexTensor, starts: &[usize]) -> FlexTensor {
    let [_, columns] = x.shape().dims();
    let mut y = Vec::with_capacity(starts.len() * columns);
    for start in starts {
        y.extend_from_slice(&floats(x)[start * columns..][..columns]);
    }
    tensor(y, [starts.len(), columns])
}

/// `[rows, columns]` with g at rows `starts` and zeros elsewhere.
fn scatter(g: &FlexTensor, starts: &[usize], shape @ [rows, columns]: [usize; 2]) -> FlexTensor {
    let mut dx = vec![0.0; rows * columns];
    for (start, g) in starts.iter().zip(floats(g).chunks_exact(columns)) {
        dx[start * columns..][..columns].copy_from_slice(g);
    }
    tensor(dx, shape)
}
