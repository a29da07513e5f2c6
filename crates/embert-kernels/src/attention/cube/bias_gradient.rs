//! The gradient of the relative position bias: Σ dS of the queries i and keys j of each distance i − j, with
//! dS = P∘(M∘(dO Vᵀ) − Σ dO∘O) computed again.
//!
//! The scores are cut into blocks of 32 queries and 32 keys. A cube has the blocks on one diagonal, for one head of one
//! sequence. They have 63 distances, which each unit adds up in two sums: so every distance belongs to two neighbouring
//! cubes, and each cube writes its own sums, without atomics.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::head_row::{dot, load};
use super::heads::Heads;
use super::relative_bias::{DeviceBias, RelativeBias};
use super::tile::HeadShape;
use crate::cube::column_sums::column_sums;
use crate::cube::grid::lanes;
use crate::cube::memory::{element_type, uninitialized, upload};
use crate::dropout::cube::{DeviceMask, MaskGenerator};

/// The number of units of a cube, and of queries and keys of a block.
const UNITS: usize = 32;

/// Returns the gradient of the bias, `[2 · longest − 1, num_heads]`. `products` has Σ dO∘O of each row.
pub(super) fn bias_gradient(
    qkv: CubeTensor,
    gradient: CubeTensor,
    [log_sum_exp, products]: [CubeTensor; 2],
    bias: &DeviceBias,
    heads: &Heads,
) -> CubeTensor {
    let ([num_tokens, columns], shape) = (qkv.shape().dims(), bias.shape());
    let ([distances, num_heads], batch_size) = (shape, heads.batch_size());
    let sums = uninitialized(&qkv, [2 * batch_size, distances, num_heads]);
    let blocks = distances.div_ceil(2).div_ceil(UNITS);
    let (d, mask) = (columns / 3 / num_heads, DeviceMask::new(heads.mask.as_ref(), &qkv));
    sum_diagonals::launch(
        &qkv.client.clone(),
        CubeCount::Static(2 * blocks as u32 + 1, num_heads as u32, batch_size as u32),
        CubeDim::new_1d(UNITS as u32),
        lanes(d),
        upload(&qkv, &heads.sequences).into_buffer_arg(),
        qkv.clone().into_buffer_arg(),
        gradient.into_buffer_arg(),
        log_sum_exp.into_buffer_arg(),
        products.into_buffer_arg(),
        sums.clone().into_buffer_arg(),
        mask.launch(),
        bias.launch(),
        heads.shape(d, num_tokens, lanes(d), UNITS),
        blocks,
        element_type(qkv.dtype),
    );
    column_sums(sums, 2 * batch_size, shape)
}

#[cube(launch)]
fn sum_diagonals<E: Float, N: Size>(
    sequences: &[u32],         // [batch, 3]
    qkv: &[Vector<E, N>],      // [num_tokens, 3, num_heads, d]
    gradient: &[Vector<E, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &[f32],       // [num_heads, num_tokens]
    products: &[f32],          // [num_heads, num_tokens]
    sums: &mut [f32],          // [batch, 2, 2 · longest − 1, num_heads]
    dropout: &MaskGenerator,   // of each sequence, head and query
    bias: &RelativeBias,
    shape: HeadShape,
    blocks: usize,
    #[define(E)] _dtype: ElemType,
) {
    let vectors = shape.vectors.comptime();
    let unit = UNIT_POS as usize;
    let (head, num_heads) = (CUBE_POS_Y as usize, CUBE_COUNT_Y as usize);
    let sequence = CUBE_POS_Z as usize;
    let start = sequences[sequence * 3] as usize;
    let length = sequences[sequence * 3 + 1] as usize;
    let (column, hidden) = (head * vectors, num_heads * vectors);
    let diagonal = CUBE_POS_X as usize * UNITS; // the first query − the first key of each block + `offset`
    let offset = blocks * UNITS;
    let mut ds = Shared::<[f32]>::new_slice(comptime!(UNITS * UNITS)); // [keys, queries]
    let mut upper = 0.0f32; // Σ dS with query − key = diagonal − offset + unit + 1
    let mut lower = 0.0f32; // Σ dS with query − key = diagonal − offset + unit + 1 − UNITS
    let mut first = max(diagonal, offset) - offset;
    while first < length && first + offset < length + diagonal {
        let position = first + unit;
        let row = start + min(position, length - 1);
        let query = load(qkv, row * 3 * hidden + column, vectors);
        let g = load(gradient, row * hidden + column, vectors);
        let log_sum = log_sum_exp[head * shape.num_tokens + row];
        let product = products[head * shape.num_tokens + row];
        let mask_key = dropout.sequence_key(sequence, head as u32, position as u32);
        for i in 0..UNITS {
            let key = first + offset - diagonal + i;
            let mut value = 0.0f32;
            if position < length && key < length && shape.sees(position, key) {
                let place = (start + key) * 3 * hidden + hidden + column;
                let score = dot(&query, qkv, place, vectors) * shape.scale;
                let p = (bias.add_to(score, head, position, key) - log_sum).exp();
                let dp = dot(&g, qkv, place + hidden, vectors) * dropout.factor(mask_key, key as u32);
                value = p * (dp - product);
            }
            ds[i * UNITS + unit] = value;
        }
        sync_cube();
        for i in 0..UNITS {
            let query = i + unit + 1;
            if query < UNITS {
                upper += ds[i * UNITS + query];
            } else {
                lower += ds[i * UNITS + query - UNITS];
            }
        }
        sync_cube();
        first += UNITS;
    }
    let distances = 2 * bias.last + 1;
    let place = diagonal + unit + 1 + bias.last; // of the upper sum, + `offset`
    let row = sequence * 2 * distances;
    if place >= offset && place - offset < distances {
        sums[(row + place - offset) * num_heads + head] = upper;
    }
    if place >= offset + UNITS && place - offset - UNITS < distances {
        sums[(row + distances + place - offset - UNITS) * num_heads + head] = lower;
    }
}
