//! Launches the attention kernels.

use std::iter;

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::bias_gradient::bias_gradient;
use super::heads::Heads;
use super::relative_bias::DeviceBias;
use super::tile::{HeadShapeLaunch, ROWS, rows, units};
use super::{backward, forward};
use crate::cube::grid::lanes;
use crate::cube::memory::{uninitialized, upload};
use crate::cube::planes::has_planes;
use crate::dropout::cube::DeviceMask;

/// The number of elements in a tile. Two tiles, and a number for each row, fit into 16 KiB, the shared memory that every
/// device has.
const TILE_ELEMENTS: usize = 2016;

/// The number of columns of rows that fit into the registers of a unit: of two rows forward, of three backward.
const FORWARD_COLUMNS: usize = 64;
const BACKWARD_COLUMNS: usize = 48;

/// Returns the number of units that share a row of d columns. It is 1 if they cannot exchange sums.
fn parts(like: &CubeTensor, d: usize, columns: usize) -> usize {
    let parts = d.div_ceil(columns).next_power_of_two();
    let vectors = d / lanes(d);
    if vectors.is_multiple_of(parts) && has_planes(&like.client, parts) { parts } else { 1 }
}

fn head_shape(heads: &Heads, d: usize, num_tokens: usize) -> HeadShapeLaunch {
    heads.shape(d, num_tokens, lanes(d), (TILE_ELEMENTS / d).min(ROWS))
}

/// Returns the output, with zeros in padding rows, and log Σ exp of each row of scores,
/// `[num_heads, num_tokens]`.
pub(super) fn forward(qkv: CubeTensor, bias: &DeviceBias, heads: &Heads) -> [CubeTensor; 2] {
    let [num_tokens, columns] = qkv.shape().dims();
    let output = uninitialized(&qkv, [num_tokens, columns / 3]);
    let log_sum_exp = uninitialized(&qkv, [heads.num_heads, num_tokens]);
    let (d, mask) = (columns / 3 / heads.num_heads, DeviceMask::new(heads.mask.as_ref(), &qkv));
    let parts = parts(&qkv, d, FORWARD_COLUMNS);
    if num_tokens > 0 {
        forward::attend::launch(
            &qkv.client.clone(),
            heads.cubes(rows(parts)),
            CubeDim::new_1d(units(parts) as u32),
            lanes(d),
            upload(&qkv, &heads.sequences).into_buffer_arg(),
            qkv.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            log_sum_exp.clone().into_buffer_arg(),
            mask.launch(),
            bias.launch(),
            head_shape(heads, d, num_tokens),
            parts,
        );
    }
    [output, log_sum_exp]
}

/// Returns the gradient of query, key and value, `[num_tokens, 3 · hidden]`, and that of the bias if it is needed.
pub(super) fn backward(
    [output, log_sum_exp, gradient, qkv]: [CubeTensor; 4],
    bias: &DeviceBias,
    heads: &Heads,
) -> Vec<CubeTensor> {
    let shape @ [num_tokens, columns] = qkv.shape().dims();
    let dqkv = uninitialized(&qkv, shape);
    let products = uninitialized(&qkv, [heads.num_heads, num_tokens]); // Σ dO∘O of each row
    let (d, mask) = (columns / 3 / heads.num_heads, DeviceMask::new(heads.mask.as_ref(), &qkv));
    let parts = parts(&qkv, d, BACKWARD_COLUMNS);
    let (client, sequences) = (qkv.client.clone(), upload(&qkv, &heads.sequences));
    if num_tokens == 0 {
        return vec![dqkv];
    }
    backward::query_gradient::launch(
        &client,
        heads.cubes(rows(parts)),
        CubeDim::new_1d(units(parts) as u32),
        lanes(d),
        sequences.clone().into_buffer_arg(),
        qkv.clone().into_buffer_arg(),
        output.into_buffer_arg(),
        gradient.clone().into_buffer_arg(),
        log_sum_exp.clone().into_buffer_arg(),
        dqkv.clone().into_buffer_arg(),
        products.clone().into_buffer_arg(),
        mask.launch(),
        bias.launch(),
        head_shape(heads, d, num_tokens),
        parts,
    );
    for of_value in [false, true] {
        backward::key_or_value_gradient::launch(
            &client,
            heads.cubes(rows(parts)),
            CubeDim::new_1d(units(parts) as u32),
            lanes(d),
            sequences.clone().into_buffer_arg(),
            qkv.clone().into_buffer_arg(),
            gradient.clone().into_buffer_arg(),
            log_sum_exp.clone().into_buffer_arg(),
            products.clone().into_buffer_arg(),
            dqkv.clone().into_buffer_arg(),
            mask.launch(),
            bias.launch(),
            head_shape(heads, d, num_tokens),
            parts,
            of_value,
        );
    }
    let sums = [log_sum_exp, products];
    let dbias = bias.has_gradient.then(|| bias_gradient(qkv, gradient, sums, bias, heads));
    iter::once(dqkv).chain(dbias).collect()
}
