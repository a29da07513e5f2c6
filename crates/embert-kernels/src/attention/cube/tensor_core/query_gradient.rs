//! The gradient of the queries: dS = P∘(M∘(dO Vᵀ) − Σ dO∘O)/√d, dQ = dS K, with P = exp(QKᵀ/√d + b − log Σ exp).

use cubecl::prelude::*;

use super::forward::{load_operands, store_sums};
use super::fragment::{as_operands, multiply_add, pair, sum_of_row, zero_sums};
use super::row::UnitRows;
use super::tile::{Rows, load, load_transposed, operand, size};
use crate::attention::cube::relative_bias::RelativeBias;
use crate::attention::cube::tile::HeadShape;
use crate::dropout::cube::MaskGenerator;

/// Computes dQ, and Σ dO∘O of each row.
#[cube(launch)]
pub(super) fn query_gradient<E: Float, T: Float, N: Size>(
    sequences: &[u32],         // [batch, 3]
    qkv: &[Vector<E, N>],      // [num_tokens, 3, num_heads, d]
    output: &[Vector<E, N>],   // [num_tokens, num_heads, d]
    gradient: &[Vector<E, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &[f32],       // [num_heads, num_tokens]
    dqkv: &mut [Vector<E, N>], // [num_tokens, 3, num_heads, d]
    products: &mut [f32],      // [num_heads, num_tokens]
    dropout: &MaskGenerator,   // of each sequence, head and query
    bias: &RelativeBias,
    shape: HeadShape,
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
    let query = load_operands::<E, T, N>(qkv, &unit, unit.head * pairs, 3 * hidden, steps);
    let g = load_operands::<E, T, N>(gradient, &unit, unit.head * pairs, hidden, steps);
    let mut product = Array::<f32>::new(2usize);
    let mut log_sum = Array::<f32>::new(2usize);
    let mut row_keys = Array::<u32>::new(2usize);
    #[unroll]
    for half in 0..2usize {
        let row = unit.batch_row(unit.position(half));
        product[half] =
            product_of_row::<E, N>(gradient, output, row * hidden + unit.head * pairs, &unit, pairs);
        log_sum[half] = log_sum_exp[unit.head * shape.num_tokens + row];
        row_keys[half] = unit.mask_key(dropout, unit.position(half));
    }
    let mut sums = zero_sums::<N>(comptime!(pairs / 4));
    let mut keys = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(tile, pairs)));
    let mut columns_of_keys = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(2 * pairs, tile / 2)));
    let mut values = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(tile, pairs)));
    let mut first = shape.begin(unit.first);
    while first < unit.end(&shape) {
        let offset = (unit.start + first) * 3 * hidden + hidden + unit.head * pairs;
        let rows = Rows { offset, stride: 3 * hidden, count: unit.length - first };
        sync_cube(); // all planes have read the previous tiles
        load::<E, T, N>(&mut keys, qkv, &rows, tile, pairs);
        load_transposed::<E, T, N>(&mut columns_of_keys, qkv, &rows, tile, pairs);
        let rows = Rows { offset: offset + hidden, stride: 3 * hidden, count: unit.length - first };
        load::<E, T, N>(&mut values, qkv, &rows, tile, pairs);
        sync_cube();
        let mut scores = zero_sums::<N>(columns);
        let mut dp = zero_sums::<N>(columns);
        #[unroll]
        for j in 0..columns {
            #[unroll]
            for step in 0..steps {
                let key = operand::<T, N>(&keys, unit.column, unit.quarter, j, step, pairs);
                multiply_add::<T, N>(&query, &key, &mut scores, step, j);
                let value = operand::<T, N>(&values, unit.column, unit.quarter, j, step, pairs);
                multiply_add::<T, N>(&g, &value, &mut dp, step, j);
            }
        }
        #[unroll]
        for half in 0..2usize {
            #[unroll]
            for j in 0..columns {
                let column = first + comptime!(j * 8) + unit.quarter * 2;
                let mut ds = Vector::<f32, N>::new(0.0f32);
                #[unroll]
                for side in 0..2usize {
                    let key = column + side;
                    let score = scores[j * 2 + half].extract(side) * shape.scale;
                    let score = bias.add_to(score, unit.head, unit.position(half), key) - log_sum[half];
                    let mask = dropout.factor(row_keys[half], key as u32);
                    let value = score.exp() * (dp[j * 2 + half].extract(side) * mask - product[half]);
                    let sees = key < unit.length && shape.sees(unit.position(half), key);
                    ds.insert(side, select(sees, value, 0.0));
                }
                scores[j * 2 + half] = ds;
            }
        }
        let ds = as_operands::<T, N>(&scores, columns);
        #[unroll]
        for step in 0..comptime!(tile / 16) {
            #[unroll]
            for j in 0..comptime!(pairs / 4) {
                let key = operand::<T, N>(
                    &columns_of_keys,
                    unit.column,
                    unit.quarter,
                    j,
                    step,
                    comptime!(tile / 2),
                );
                multiply_add::<T, N>(&ds, &key, &mut sums, step, j);
            }
        }
        first += tile;
    }
    #[unroll]
    for half in 0..2usize {
        let position = unit.position(half);
        if position < unit.rows {
            let row = unit.start + position;
            let offset = row * 3 * hidden + unit.head * pairs;
            let is_token = position < unit.length;
            store_sums::<E, N>(dqkv, offset, &sums, shape.scale, is_token, &unit, half, pairs);
            if unit.quarter == 0 {
                products[unit.head * shape.num_tokens + row] = product[half];
            }
        }
    }
}

/// Returns Σ dO∘O of the row at an offset, on all four units of the row.
#[cube]
fn product_of_row<E: Float, N: Size>(
    gradient: &[Vector<E, N>],
    output: &[Vector<E, N>],
    offset: usize,
    unit: &UnitRows,
    #[comptime] pairs: usize,
) -> f32 {
    let mut sum = pair::<N>(0.0f32, 0.0f32);
    #[unroll]
    for j in 0..comptime!(pairs / 4) {
        let place = offset + comptime!(j * 4) + unit.quarter;
        sum += Vector::<f32, N>::cast_from(gradient[place]) * Vector::<f32, N>::cast_from(output[place]);
    }
    sum_of_row(sum.extract(0usize) + sum.extract(1usize))
}
