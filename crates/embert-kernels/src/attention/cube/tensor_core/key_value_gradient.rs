//! The gradients of keys and values: dV = (P∘M)ᵀ dO, dK = dSᵀ Q, with P and dS as in the gradient of the queries.
//!
//! Each plane has sixteen keys. It computes the transposed scores, so that their registers are the left operand of both
//! products.

use cubecl::prelude::*;

use super::forward::{load_operands, store_sums};
use super::fragment::{as_operands, multiply_add, zero_sums};
use super::row::UnitRows;
use super::tile::{Rows, load, load_transposed, operand, size};
use crate::attention::cube::relative_bias::RelativeBias;
use crate::attention::cube::tile::HeadShape;
use crate::dropout::cube::MaskGenerator;

/// Computes dK, dV or both. Rows of both do not fit into the registers if a head is wide.
#[cube(launch)]
pub(super) fn key_value_gradient<E: Float, T: Float, N: Size>(
    sequences: &[u32],         // [batch, 3]
    qkv: &[Vector<E, N>],      // [num_tokens, 3, num_heads, d]
    gradient: &[Vector<E, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &[f32],       // [num_heads, num_tokens]
    products: &[f32],          // [num_heads, num_tokens]
    dqkv: &mut [Vector<E, N>], // [num_tokens, 3, num_heads, d]
    dropout: &MaskGenerator,   // of each sequence, head and query
    bias: &RelativeBias,
    shape: HeadShape,
    #[comptime] of_key: bool,
    #[comptime] of_value: bool,
    #[define(E)] _of_tensors: ElemType,
    #[define(T)] _of_products: ElemType,
) {
    let unit = UnitRows::new(sequences);
    if unit.first >= unit.rows {
        terminate!();
    }
    let pairs = shape.vectors.comptime();
    let tile = shape.tile.comptime();
    let (steps, columns) = comptime!((pairs / 8, tile / 8));
    let hidden = unit.num_heads * pairs;
    let head_rows = unit.head * shape.num_tokens + unit.start; // of log_sum_exp and products
    let key = load_operands::<E, T, N>(qkv, &unit, hidden + unit.head * pairs, 3 * hidden, steps);
    let value = load_operands::<E, T, N>(qkv, &unit, 2 * hidden + unit.head * pairs, 3 * hidden, steps);
    let mut dkey = zero_sums::<N>(comptime!(if of_key { pairs / 4 } else { 0 }));
    let mut dvalue = zero_sums::<N>(comptime!(if of_value { pairs / 4 } else { 0 }));
    let mut queries = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(tile, pairs)));
    let mut columns_of_queries = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(2 * pairs, tile / 2)));
    let mut gradients = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(tile, pairs)));
    let mut columns_of_gradients = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(2 * pairs, tile / 2)));
    let mut mask_keys = Shared::<[u32]>::new_slice(tile);
    let mut first = shape.begin(unit.first);
    while first < unit.end(&shape) {
        let row = unit.start + first;
        let count = unit.length - first;
        let of_query = Rows { offset: row * 3 * hidden + unit.head * pairs, stride: 3 * hidden, count };
        let of_gradient = Rows { offset: row * hidden + unit.head * pairs, stride: hidden, count };
        sync_cube(); // all planes have read the previous tiles
        load::<E, T, N>(&mut queries, qkv, &of_query, tile, pairs);
        if of_key {
            load_transposed::<E, T, N>(&mut columns_of_queries, qkv, &of_query, tile, pairs);
            load::<E, T, N>(&mut gradients, gradient, &of_gradient, tile, pairs);
        }
        if of_value {
            load_transposed::<E, T, N>(&mut columns_of_gradients, gradient, &of_gradient, tile, pairs);
        }
        if (UNIT_POS as usize) < tile {
            mask_keys[UNIT_POS as usize] = unit.mask_key(dropout, first + UNIT_POS as usize);
        }
        sync_cube();
        let mut scores = zero_sums::<N>(columns);
        let mut dp = zero_sums::<N>(columns);
        #[unroll]
        for j in 0..columns {
            #[unroll]
            for step in 0..steps {
                let query = operand::<T, N>(&queries, unit.column, unit.quarter, j, step, pairs);
                multiply_add::<T, N>(&key, &query, &mut scores, step, j);
                if of_key {
                    let g = operand::<T, N>(&gradients, unit.column, unit.quarter, j, step, pairs);
                    multiply_add::<T, N>(&value, &g, &mut dp, step, j);
                }
            }
        }
        #[unroll]
        for j in 0..columns {
            #[unroll]
            for side in 0..2usize {
                // The query of this column of the transposed scores.
                let query = first + comptime!(j * 8) + unit.quarter * 2 + side;
                let place = head_rows + min(query, unit.length - 1);
                let log_sum = log_sum_exp[place];
                let product = products[place];
                let row_key = mask_keys[query - first];
                #[unroll]
                for half in 0..2usize {
                    let score = scores[j * 2 + half].extract(side) * shape.scale;
                    let score = bias.add_to(score, unit.head, query, unit.position(half)) - log_sum;
                    let sees = query < unit.length && shape.sees(query, unit.position(half));
                    let p = select(sees, score.exp(), 0.0);
                    let mask = dropout.factor(row_key, unit.position(half) as u32);
                    let mut probabilities = scores[j * 2 + half];
                    probabilities.insert(side, p * mask);
                    scores[j * 2 + half] = probabilities;
                    let mut ds = dp[j * 2 + half];
                    ds.insert(side, p * (dp[j * 2 + half].extract(side) * mask - product));
                    dp[j * 2 + half] = ds;
                }
            }
        }
        let p = as_operands::<T, N>(&scores, columns);
        let ds = as_operands::<T, N>(&dp, columns);
        #[unroll]
        for step in 0..comptime!(tile / 16) {
            if of_value {
                #[unroll]
                for j in 0..comptime!(pairs / 4) {
                    let (g, half_tile) = (&columns_of_gradients, comptime!(tile / 2));
                    let g = operand::<T, N>(g, unit.column, unit.quarter, j, step, half_tile);
                    multiply_add::<T, N>(&p, &g, &mut dvalue, step, j);
                }
            }
            if of_key {
                #[unroll]
                for j in 0..comptime!(pairs / 4) {
                    let (query, half_tile) = (&columns_of_queries, comptime!(tile / 2));
                    let query = operand::<T, N>(query, unit.column, unit.quarter, j, step, half_tile);
                    multiply_add::<T, N>(&ds, &query, &mut dkey, step, j);
                }
            }
        }
        first += tile;
    }
    #[unroll]
    for half in 0..2usize {
        let position = unit.position(half);
        if position < unit.rows {
            let offset = (unit.start + position) * 3 * hidden + hidden + unit.head * pairs;
            let is_token = position < unit.length;
            if of_key {
                store_sums::<E, N>(dqkv, offset, &dkey, shape.scale, is_token, &unit, half, pairs);
            }
            if of_value {
                store_sums::<E, N>(dqkv, offset + hidden, &dvalue, 1.0, is_token, &unit, half, pairs);
            }
        }
    }
}
