//! Attention of the first token of each sequence on GPUs, forward and backward.
//!
//! One query for each head is a product with a vector, which reads K and V once: it is bound by memory, and tensor cores
//! would not help. A cube has one head of one sequence. Each of its units has one key for the scores, and one vector of
//! columns of one group of keys for the sums. Operands may be in half precision; everything is computed in fp32.

mod backward;
mod forward;
mod head;

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::heads::Heads;
use crate::attention::{AttentionOptions, reference};
use crate::autodiff::custom_op;
use crate::cube::grid::lanes;
use crate::cube::list_op::list_op;
use crate::cube::memory::{element_type, uninitialized, uninitialized_of, upload};
use crate::dropout::cube::DeviceMask;
use crate::layout::SequenceLayout;

use head::{HeadColumnsLaunch, UNITS};

/// Uses the reference for a bias, and for heads that are too wide for the kernels.
pub(in crate::attention) fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let ([batch_size, hidden], dtype) = (query.dims(), query.dtype());
    let Some(heads) = Heads::new(layout, hidden, options).filter(|_| bias.is_none() && batch_size > 0) else {
        return reference::first_token_attention(query, key_value, bias, layout, options);
    };
    let inputs = [query.cast(key_value.dtype()), key_value].map(Tensor::into_dispatch);
    let output = custom_op::<Cube, 2, 2, _>(inputs, |inputs, _| {
        let [of_query, of_key_value] = inputs.each_ref().map(|x| TensorSpec::new(x.shape(), x.dtype()));
        let of_sums = TensorSpec::new(Shape::from([heads.num_heads, batch_size]), DType::F32);
        let forward_heads = heads.clone();
        let run = move |tensors| forward(tensors, &forward_heads);
        let outputs = list_op("first_token_attention", inputs.to_vec(), &[of_query.clone(), of_sums], run);
        let output = outputs[0].clone();
        let backward_fn = move |g: FloatTensor<Cube>, _| {
            let saved = inputs.iter().chain(&outputs).cloned().chain([g]).collect();
            let (specs, heads) = ([of_query.clone(), of_key_value.clone()], heads.clone());
            let run = move |tensors| backward(tensors, &heads);
            let mut gradients = list_op("first_token_attention_backward", saved, &specs, run).into_iter();
            [gradients.next(), gradients.next()]
        };
        (output, backward_fn)
    });
    output.cast(dtype)
}

/// Returns the output, `[batch, hidden]`, and log Σ exp of each query's scores, `[num_heads, batch]`.
fn forward(tensors: Vec<CubeTensor>, heads: &Heads) -> Vec<CubeTensor> {
    let [query, key_value] = contiguous(tensors);
    let output = uninitialized_of(&query, query.shape(), query.dtype);
    let log_sum_exp = uninitialized(&query, [heads.num_heads, query.shape()[0]]);
    let (d, num_tokens) = (width(&query, heads), key_value.shape()[0]);
    let mask = DeviceMask::new(heads.mask.as_ref(), &query);
    forward::attend::launch(
        &query.client.clone(),
        cubes(&query, heads),
        CubeDim::new_1d(UNITS as u32),
        lanes(d),
        upload(&query, &heads.sequences).into_buffer_arg(),
        query.clone().into_buffer_arg(),
        key_value.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        log_sum_exp.clone().into_buffer_arg(),
        mask.launch(),
        head_columns(d, num_tokens, heads),
        element_type(query.dtype),
    );
    vec![output, log_sum_exp]
}

/// Returns the gradients of the query and of keys and values.
fn backward(tensors: Vec<CubeTensor>, heads: &Heads) -> Vec<CubeTensor> {
    let [query, key_value, output, log_sum_exp, gradient] = contiguous(tensors);
    let [dquery, dkey_value] = [&query, &key_value].map(|x| uninitialized_of(x, x.shape(), x.dtype));
    let (d, num_tokens) = (width(&query, heads), key_value.shape()[0]);
    let mask = DeviceMask::new(heads.mask.as_ref(), &query);
    backward::gradients::launch(
        &query.client.clone(),
        cubes(&query, heads),
        CubeDim::new_1d(UNITS as u32),
        lanes(d),
        upload(&query, &heads.sequences).into_buffer_arg(),
        query.clone().into_buffer_arg(),
        key_value.into_buffer_arg(),
        output.into_buffer_arg(),
        log_sum_exp.into_buffer_arg(),
        gradient.into_buffer_arg(),
        dquery.clone().into_buffer_arg(),
        dkey_value.clone().into_buffer_arg(),
        mask.launch(),
        head_columns(d, num_tokens, heads),
        element_type(query.dtype),
    );
    vec![dquery, dkey_value]
}

fn contiguous<const N: usize>(tensors: Vec<CubeTensor>) -> [CubeTensor; N] {
    let tensors = tensors.into_iter().map(into_contiguous).collect::<Vec<_>>();
    tensors.try_into().expect("the operation was registered with this number of tensors")
}

/// Returns the number of columns of a head.
fn width(query: &CubeTensor, heads: &Heads) -> usize {
    query.shape()[1] / heads.num_heads
}

/// Returns the grid: one cube for each head and sequence.
fn cubes(query: &CubeTensor, heads: &Heads) -> CubeCount {
    CubeCount::Static(heads.num_heads as u32, query.shape()[0] as u32, 1)
}

fn head_columns(d: usize, num_tokens: usize, heads: &Heads) -> HeadColumnsLaunch {
    let (windowed, window) = heads.window(num_tokens);
    HeadColumnsLaunch::new(1.0 / (d as f32).sqrt(), d / lanes(d), windowed, window)
}
