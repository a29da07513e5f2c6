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
use burn::backend::{Cube, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::heads::Heads;
use super::relative_bias::DeviceBias;
use crate::attention::{AttentionOptions, reference};
use crate::autodiff::custom_op;
use crate::cube::column_sums::column_sums;
use crate::cube::grid::lanes;
use crate::cube::list_op::list_op;
use crate::cube::memory::{element_type, uninitialized, uninitialized_of, upload, zeros};
use crate::dropout::cube::DeviceMask;
use crate::layout::SequenceLayout;
use crate::precision::to_fp32;

use head::{HeadColumnsLaunch, UNITS};

/// Uses the reference for heads that are too wide for the kernels.
pub(in crate::attention) fn first_token_attention(
    query: Tensor<2>,
    key_value: Tensor<2>,
    bias: Option<Tensor<2>>,
    layout: &SequenceLayout,
    options: AttentionOptions,
) -> Tensor<2> {
    let ([batch_size, hidden], dtype) = (query.dims(), query.dtype());
    let Some(heads) = Heads::new(layout, hidden, options).filter(|_| batch_size > 0) else {
        return reference::first_token_attention(query, key_value, bias, layout, options);
    };
    let [query, key_value] = [query.cast(key_value.dtype()), key_value].map(Tensor::into_dispatch);
    let output = match bias {
        None => attend([query, key_value], &heads),
        Some(bias) => attend([query, key_value, to_fp32(bias).into_dispatch()], &heads),
    };
    output.cast(dtype)
}

/// The inputs are query, key and value, and the bias if there is one.
fn attend<const N: usize>(inputs: [DispatchTensor; N], heads: &Heads) -> Tensor<2> {
    let heads = heads.clone();
    custom_op::<Cube, N, 2, _>(inputs, |inputs, _| {
        let specs = inputs.each_ref().map(|x| TensorSpec::new(x.shape(), x.dtype()));
        let of_sums = TensorSpec::new(Shape::from([heads.num_heads, inputs[0].shape()[0]]), DType::F32);
        let forward_heads = heads.clone();
        let run = move |tensors| forward(tensors, &forward_heads);
        let outputs = list_op("first_token_attention", inputs.to_vec(), &[specs[0].clone(), of_sums], run);
        let output = outputs[0].clone();
        let backward_fn = move |g: FloatTensor<Cube>, needed: [bool; N]| {
            let saved = outputs.iter().cloned().chain([g]).chain(inputs.iter().cloned()).collect();
            let has_bias_gradient = needed.get(2) == Some(&true);
            let (specs, heads) = (&specs[..2 + usize::from(has_bias_gradient)], heads.clone());
            let run = move |tensors| backward(tensors, has_bias_gradient, &heads);
            let mut gradients = list_op("first_token_attention_backward", saved, specs, run).into_iter();
            std::array::from_fn(|_| gradients.next())
        };
        (output, backward_fn)
    })
}

/// Returns the output, `[batch, hidden]`, and log Σ exp of each query's scores, `[num_heads, batch]`.
fn forward(tensors: Vec<CubeTensor>, heads: &Heads) -> Vec<CubeTensor> {
    let mut tensors = tensors.into_iter().map(into_contiguous);
    let [query, key_value] = [(); 2].map(|()| tensors.next().expect("query, key and value"));
    let bias = DeviceBias::new(tensors.next(), false);
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
        bias.launch(),
        head_columns(d, num_tokens, heads),
        element_type(query.dtype),
    );
    vec![output, log_sum_exp]
}

/// Returns the gradients of the query, of keys and values, and of the bias if it is needed.
fn backward(tensors: Vec<CubeTensor>, has_bias_gradient: bool, heads: &Heads) -> Vec<CubeTensor> {
    let mut tensors = tensors.into_iter().map(into_contiguous);
    let [output, log_sum_exp, gradient, query, key_value] =
        [(); 5].map(|()| tensors.next().expect("outputs, gradient and inputs"));
    let bias = DeviceBias::new(tensors.next(), has_bias_gradient);
    let [dquery, dkey_value] = [&query, &key_value].map(|x| uninitialized_of(x, x.shape(), x.dtype));
    let ([batch_size, _], [distances, num_heads]) = (query.shape().dims(), bias.shape());
    let dbias = has_bias_gradient.then(|| zeros(&query, [batch_size, distances, num_heads]));
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
        bias.launch(),
        dbias.clone().map(CubeTensor::into_buffer_arg).into(),
        head_columns(d, num_tokens, heads),
        element_type(query.dtype),
    );
    let dbias = dbias.map(|sums| column_sums(sums, batch_size, [distances, num_heads]));
    [dquery, dkey_value].into_iter().chain(dbias).collect()
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
