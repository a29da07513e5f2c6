//! The backward kernels of attention. P = exp(QKᵀ/√d + b − log Σ exp) is computed again. M is the dropout mask:
//! dV = (P∘M)ᵀ dO, dS = P∘(M∘(dO Vᵀ) − Σ dO∘O)/√d, dQ = dS K, dK = dSᵀ Q.

use cubecl::prelude::*;

use super::head_row::{self, load};
use super::relative_bias::RelativeBias;
use super::tile::{HeadShape, add_scaled_row, dot, load_tile, store_row, unit_row, zeros};
use crate::dropout::cube::MaskGenerator;

/// Computes dQ, and Σ dO∘O of each row. Each unit has one query, or its part of the columns of one.
#[cube(launch)]
pub(super) fn query_gradient<N: Size>(
    sequences: &[u32],           // [batch, 3]
    qkv: &[Vector<f32, N>],      // [num_tokens, 3, num_heads, d]
    output: &[Vector<f32, N>],   // [num_tokens, num_heads, d]
    gradient: &[Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &[f32],         // [num_heads, num_tokens]
    dqkv: &mut [Vector<f32, N>], // [num_tokens, 3, num_heads, d]
    products: &mut [f32],        // [num_heads, num_tokens]
    dropout: &MaskGenerator,     // of each sequence, head and query
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
    let output_offset = unit.row * hidden + unit.head * vectors + column;
    let g = load(gradient, output_offset, own);
    let product = unit.sum(head_row::dot(&g, output, output_offset, own));
    let log_sum = log_sum_exp[row_offset];
    let row_key = unit.mask_key(dropout, unit.position);
    let mut dq = zeros::<N>(own);
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
                let p = (bias.add_to(score, unit.head, unit.position, first + i) - log_sum).exp();
                let mask = dropout.factor(row_key, (first + i) as u32);
                let dp = unit.sum(dot(&g, &value_tile, place, own)) * mask;
                let ds = select(sees, p * (dp - product), 0.0);
                add_scaled_row(&mut dq, ds, &key_tile, place, own);
            }
        }
        sync_cube();
        first += tile;
    }
    if unit.writes {
        let offset = unit.row * 3 * hidden + unit.head * vectors + column;
        products[row_offset] = product;
        if unit.is_padding {
            store_row(dqkv, offset, &zeros::<N>(own), 0.0, own);
        } else {
            store_row(dqkv, offset, &dq, shape.scale, own);
        }
    }
}

/// Computes dK or dV. Each unit has one key, or its part of the columns of one. Two launches are necessary, because a row
/// of each would not fit into the registers.
#[cube(launch)]
pub(super) fn key_or_value_gradient<N: Size>(
    sequences: &[u32],           // [batch, 3]
    qkv: &[Vector<f32, N>],      // [num_tokens, 3, num_heads, d]
    gradient: &[Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &[f32],         // [num_heads, num_tokens]
    products: &[f32],            // [num_heads, num_tokens]
    dqkv: &mut [Vector<f32, N>], // [num_tokens, 3, num_heads, d]
    dropout: &MaskGenerator,     // of each sequence, head and query
    bias: &RelativeBias,
    shape: HeadShape,
    #[comptime] parts: usize,
    #[comptime] of_value: bool,
) {
    let unit = unit_row(sequences, parts);
    let vectors = shape.vectors.comptime();
    let own = comptime!(vectors / parts); // vectors of the unit
    let column = unit.part * own;
    let tile = shape.tile.comptime();
    let hidden = unit.num_heads * vectors;
    let sequence_offset = unit.head * shape.num_tokens + unit.start;
    let key_offset = unit.row * 3 * hidden + hidden + unit.head * vectors + column;
    let key = load(qkv, key_offset, own);
    let value = load(qkv, key_offset + hidden, own);
    let mut sum = zeros::<N>(own);
    let mut query_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut gradient_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut mask_keys = Shared::<[u32]>::new_slice(tile);
    let mut first = shape.begin(unit.first);
    let end = shape.end(unit.first, unit.length, unit.rows);
    while first < end {
        let count = min(tile, end - first);
        let row = unit.start + first;
        if (UNIT_POS as usize) < tile {
            mask_keys[UNIT_POS as usize] = unit.mask_key(dropout, first + UNIT_POS as usize);
        }
        load_tile(&mut query_tile, qkv, row * 3 * hidden + unit.head * vectors, 3 * hidden, count, vectors);
        load_tile(&mut gradient_tile, gradient, row * hidden + unit.head * vectors, hidden, count, vectors);
        sync_cube();
        for i in 0..count {
            let sees = shape.sees(first + i, unit.position);
            if unit.computes(sees) {
                let query_offset = sequence_offset + first + i;
                let place = i * vectors + column;
                let score = unit.sum(dot(&key, &query_tile, place, own)) * shape.scale;
                let score = bias.add_to(score, unit.head, first + i, unit.position);
                let p = select(sees, (score - log_sum_exp[query_offset]).exp(), 0.0);
                let mask = dropout.factor(mask_keys[i], unit.position as u32);
                if comptime!(of_value) {
                    add_scaled_row(&mut sum, p * mask, &gradient_tile, place, own);
                } else {
                    let dp = unit.sum(dot(&value, &gradient_tile, place, own)) * mask;
                    add_scaled_row(&mut sum, p * (dp - products[query_offset]), &query_tile, place, own);
                }
            }
        }
        sync_cube();
        first += tile;
    }
    if unit.writes {
        let offset = if comptime!(of_value) { key_offset + hidden } else { key_offset };
        if unit.is_padding {
            store_row(dqkv, offset, &zeros::<N>(own), 0.0, own);
        } else if comptime!(of_value) {
            store_row(dqkv, offset, &sum, 1.0, own);
        } else {
            store_row(dqkv, offset, &sum, shape.scale, own);
        }
    }
}
