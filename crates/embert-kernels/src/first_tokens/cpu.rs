//! `first_tokens` on the CPU: y = x\[starts\]. The gradient is g at these rows and zero elsewhere.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;

use crate::autodiff::custom_op;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::layout::SequenceLayout;

pub(super) fn first_tokens(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let starts = layout.starts();
    custom_op::<Flex, 1, 2, _>([x.into_dispatch()], |[x], _| {
        let (y, shape) = (gather(&x, &starts), x.shape().dims::<2>());
        (y, move |g, _| [Some(scatter(&g, &starts, shape))])
    })
}

/// Gathers rows of `[rows, columns]`: `[starts, columns]`.
fn gather(x: &FlexTensor, starts: &[usize]) -> FlexTensor {
    let [_, columns] = x.shape().dims();
    let mut y = Vec::with_capacity(starts.len() * columns);
    for start in starts {
        y.extend_from_slice(&as_slice(x)[start * columns..][..columns]);
    }
    from_vec(y, [starts.len(), columns])
}

/// Returns `[rows, columns]` with g at the rows `starts` and zeros elsewhere.
fn scatter(g: &FlexTensor, starts: &[usize], shape @ [rows, columns]: [usize; 2]) -> FlexTensor {
    let mut dx = vec![0.0; rows * columns];
    for (start, g) in starts.iter().zip(as_slice(g).chunks_exact(columns)) {
        dx[start * columns..][..columns].copy_from_slice(g);
    }
    from_vec(dx, shape)
}
