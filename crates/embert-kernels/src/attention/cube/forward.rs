//! The forward kernel of attention: online softmax with a running maximum (Milakov and Gimelshein, 2018).
//!
//! Each unit has one query, or its part of the columns of one.

use cubecl::prelude::*;

use super::head_row::load;
use super::relative_bias::RelativeBias;
use super::tile::{HeadShape, LOWEST_SCORE, add_scaled_row, dot, load_tile, store_row, unit_row, zeros};
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
    #[comptime] parts: usize,
) {
    let unit = unit_row(sequences, parts);
    let vectors = shape.vectors.comptime();
    let own = comptime!(vectors / parts); // vectors of the unit
    let column = unit.part * own;
    let tile = shape.tile.comptime();
    let hidden = unit.num_heads * vectors;
    let row_offset = unit.head * shape.num_tokens + unit.row;
    let query = load(qkv, unit.row * 3 * hidden + unit.head * vectors + column, own);
    let mut sum = zeros::<N>(own); // Σ exp(score − max) · mask · value
    let mut sum_exp = 0.0f32; // Σ exp(score − max)
    let mut max = LOWEST_SCORE.runtime();
    let row_key = unit.mask_key(dropout, unit.position);
    let mut key_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut value_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut first = shape.begin(unit.first);
    let end = shape.end(unit.first, unit.length, unit.rows);
    while first < end {
        let count = min(tile, end - first);
        let offset = (unit.start + first) * 3 * hidden + hidden + unit.head * vectors;
        load_tile(&mut key_tile, qkv, offset, 3 * hidden, count, vectors);
        load_tile(&mut value_tile, qkv, offset + hidden, 3 * hidden, count, vectors);
        sync_cube();
        for i in 0..count {
            let sees = shape.sees(unit.position, first + i);
            if unit.computes(sees) {
                let place = i * vectors + column;
                let score = unit.sum(dot(&query, &key_tile, place, own)) * shape.scale;
                let score = bias.add_to(score, unit.head, unit.position, first + i);
                if sees && score > max {
                    let shrunk = (max - score).exp();
                    max = score;
                    sum_exp *= shrunk;
                    #[unroll]
                    for j in 0..own {
                        sum[j] *= Vector::new(shrunk);
                    }
                }
                let p = select(sees, (score - max).exp(), 0.0);
                sum_exp += p;
                let mask = dropout.factor(row_key, (first + i) as u32);
                add_scaled_row(&mut sum, p * mask, &value_tile, place, own);
            }
        }
        sync_cube();
        first += tile;
    }
    if unit.writes {
        let offset = unit.row * hidden + unit.head * vectors + column;
        if unit.is_padding {
            store_row(output, offset, &zeros::<N>(own), 0.0, own);
            log_sum_exp[row_offset] = 0.0;
        } else {
            store_row(output, offset, &sum, 1.0 / sum_exp, own);
            log_sum_exp[row_offset] = max + sum_exp.ln();
        }
    }
}
