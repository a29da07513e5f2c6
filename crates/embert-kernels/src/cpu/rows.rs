//! y = x\[starts\], and its derivative: g at these rows of a matrix of zeros.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::memory::{floats, tensor};
use super::uninit::Uninit;

/// Rows of `[rows, columns]`: `[starts, columns]`.
pub(crate) fn select(x: &FlexTensor, starts: &[usize]) -> FlexTensor {
    let [_, columns] = x.shape().dims();
    let mut y = Vec::with_capacity(starts.len() * columns);
    for start in starts {
        y.extend_from_slice(&floats(x)[start * columns..][..columns]);
    }
    tensor(y, [starts.len(), columns])
}

/// `[rows, columns]` with g at rows `starts`, in rising order, and zeros elsewhere.
pub(crate) fn scatter(g: &FlexTensor, starts: &[usize], rows: usize) -> Vec<f32> {
    let [_, columns] = g.shape().dims();
    let mut dx = Uninit::new(rows * columns);
    dx.writers(columns).into_par_iter().enumerate().for_each(|(row, mut to)| {
        let g = starts.binary_search(&row).map_or(&[][..], |at| &floats(g)[at * columns..][..columns]);
        to.extend(g.iter().copied());
        to.zeros();
    });
    dx.finish()
}
