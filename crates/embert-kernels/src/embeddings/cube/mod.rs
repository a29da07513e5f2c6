//! Embeddings on GPUs: y = word[id] + position[first_position + p] + token_type[t] in one kernel.
//!
//! The backward pass sorts the tokens by id on the device. Then one cube (thread block) adds the rows of each
//! id, in the order of the tokens. The gradient of padding rows does not count.

mod backward;
mod forward;
mod kernels;
mod launch;
mod sequences;
mod sort;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Cube, DispatchAutodiffContext, DispatchKindConversion, DispatchTensor, TensorMetadata};
use burn::tensor::{Int, Tensor};

use crate::autodiff::custom_op;
use crate::layout::SequenceLayout;

use kernels::EmbeddingKernels;
use sequences::Sequences;

pub(super) fn embeddings(
    input_ids: Tensor<1, Int>,
    layout: &SequenceLayout,
    word: Tensor<2>,
    position: Tensor<2>,
    first_position: usize,
    token_type: Option<Tensor<2>>,
) -> Tensor<2> {
    let (ids, sequences) = (primitive(input_ids), Sequences::new(layout, first_position));
    match token_type {
        Some(token_type) => with_types(ids, sequences, [word, position, token_type]),
        None => without_types(ids, sequences, [word, position]),
    }
}

fn with_types(ids: IntTensor<Cube>, sequences: Sequences, tables: [Tensor<2>; 3]) -> Tensor<2> {
    custom_op::<Cube, 3, 2, _>(tables.map(Tensor::into_dispatch), |tables, _| {
        let rows = tables.each_ref().map(|table| table.shape().dims::<2>()[0]);
        let [word, position, token_type] = tables;
        let y = Cube::embed(ids.clone(), word, position, token_type, sequences.clone(), true);
        let backward_fn = move |g: FloatTensor<Cube>, needed: [bool; 3]| {
            [
                needed[0].then(|| Cube::word_gradient(g.clone(), ids.clone(), sequences.clone(), rows[0])),
                needed[1].then(|| Cube::position_gradient(g.clone(), sequences.clone(), rows[1])),
                needed[2].then(|| Cube::type_gradient(g.clone(), sequences.clone(), rows[2])),
            ]
        };
        (y, backward_fn)
    })
}

fn without_types(ids: IntTensor<Cube>, sequences: Sequences, tables: [Tensor<2>; 2]) -> Tensor<2> {
    custom_op::<Cube, 2, 2, _>(tables.map(Tensor::into_dispatch), |tables, _| {
        let rows = tables.each_ref().map(|table| table.shape().dims::<2>()[0]);
        let [word, position] = tables;
        let y = Cube::embed(ids.clone(), word.clone(), position, word, sequences.clone(), false);
        let backward_fn = move |g: FloatTensor<Cube>, needed: [bool; 2]| {
            [
                needed[0].then(|| Cube::word_gradient(g.clone(), ids.clone(), sequences.clone(), rows[0])),
                needed[1].then(|| Cube::position_gradient(g.clone(), sequences.clone(), rows[1])),
            ]
        };
        (y, backward_fn)
    })
}

/// Returns the ids as a tensor of the GPU backend. Integers are never on the autodiff graph.
fn primitive(ids: Tensor<1, Int>) -> IntTensor<Cube> {
    let ids = DispatchTensor { autodiff: DispatchAutodiffContext::Disabled, ..ids.into_dispatch() };
    let ids = <DispatchTensor as DispatchKindConversion<Cube>>::try_into_backend(ids);
    ids.expect("all inputs are on one device").int()
}
