//! The forward kernel of attention: online softmax with a running maximum (Milakov and Gimelshein, 2018).
//!
//! Each unit has one query.

use cubecl::prelude::*;

use super::head_row::load;
use super::relative_bias::RelativeBias;
use super::tile::{
    HeadShape, LOWEST_SCORE, UNITS, add_scaled_row, dot, load_tile, store_row, unit_row, zeros,
};
use crate::dropout::cube::MaskGenerator;

#[cube(launch)]
pub(super) fn attend<N: Size>(
    sequences: &[u32],             // [batch, 3]
    qkv: &[Vector<f32, N>],        // [num_tokens, 3, num_heads, d]
    output: &mut [Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &mut [f32],       // [num_heads, num_tokens]
    dropout: &MaskGenerator,       // of each sequence, head and query
    bias: &RelativeBias,
    shape: HeadShape,
) {
    let unit = unit_row(sequences);
    let vectors = shape.vectors.comptime();
    let tile = shape.tile.comptime();
    let hidden = unit.num_heads * vectors;
    let row_offset = unit.head * shape.num_tokens + unit.row;
    let query = load(qkv, unit.row * 3 * hidden + unit.head * vectors, vectors);
    let mut sum = zeros::<N>(vectors); // Σ exp(score − max) · mask · value
    let mut sum_exp = 0.0f32; // Σ exp(score − max)
    let mut max = LOWEST_SCORE.runtime();
    let row_key = unit.mask_key(dropout, unit.position);
    let mut key_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut value_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut first = shape.begin(unit.first);
    let end = shape.end(unit.first, unit.length, UNITS);
    while first < end {
        let count = min(tile, end - first);
        let offset = (unit.start + first) * 3 * hidden + hidden + unit.head * vectors;
        load_tile(&mut key_tile, qkv, offset, 3 * hidden, count, vectors);
        load_tile(&mut value_tile, qkv, offset + hidden, 3 * hidden, count, vectors);
        sync_cube();
        for i in 0..count {
            if shape.sees(unit.position, first + i) {
                let score = dot(&query, &key_tile, i, vectors) * shape.scale;
                let score = bias.add_to(score, unit.head, unit.position, first + i);
                if score > max {
                    let shrunk = (max - score).exp();
                    max = score;
                    sum_exp *= shrunk;
                    #[unroll]
                    for j in 0..vectors {
                        sum[j] *= Vector::new(shrunk);
                    }
                }
                let p = (score - max).exp();
                sum_exp += p;
                add_scaled_row(
                    &mut sum,
                    p * dropout.factor(row_key, (first + i) as u32),
                    &value_tile,
                    i,
                    vectors,
                );
            }
        }
        sync_cube();
        first += tile;
    }
    if unit.writes {
        let offset = unit.row * hidden + unit.head * vectors;
        if unit.is_padding {
            store_row(output, offset, &zeros::<N>(vectors), 0.0, vectors);
            log_sum_exp[row_offset] = 0.0;
        } else {
            store_row(output, offset, &sum, 1.0 / sum_exp, vectors);
            log_sum_exp[row_offset] = max + sum_exp.ln();
        }
    }
}
