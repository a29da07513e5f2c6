//! The forward kernel: online softmax with a running maximum (Milakov and Gimelshein, 2018).

use cubecl::prelude::*;

use super::fragment::{as_operands, max_of_row, multiply_add, pair, sum_of_row, zero_sums};
use super::row::UnitRows;
use super::tile::{Rows, load, load_transposed, operand, size};
use crate::attention::cube::relative_bias::RelativeBias;
use crate::attention::cube::tile::{HeadShape, LOWEST_SCORE};
use crate::dropout::cube::MaskGenerator;

#[cube(launch)]
pub(super) fn attend<E: Float, T: Float, N: Size>(
    sequences: &[u32],           // [batch, 3]
    qkv: &[Vector<E, N>],        // [num_tokens, 3, num_heads, d]
    output: &mut [Vector<E, N>], // [num_tokens, num_heads, d]
    log_sum_exp: &mut [f32],     // [num_heads, num_tokens]
    dropout: &MaskGenerator,     // of each sequence, head and query
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
    let mut sums = zero_sums::<N>(comptime!(pairs / 4)); // Σ exp(score − max) · mask · value
    let mut sum_exp = Array::<f32>::new(2usize); // Σ exp(score − max)
    let mut maximum = Array::<f32>::new(2usize);
    let mut row_keys = Array::<u32>::new(2usize);
    #[unroll]
    for half in 0..2usize {
        sum_exp[half] = 0.0;
        maximum[half] = LOWEST_SCORE;
        row_keys[half] = unit.mask_key(dropout, unit.position(half));
    }
    let mut keys = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(tile, pairs)));
    let mut values = Shared::<[Vector<T, N>]>::new_slice(comptime!(size(2 * pairs, tile / 2)));
    let mut first = shape.begin(unit.first);
    while first < unit.end(&shape) {
        let offset = (unit.start + first) * 3 * hidden + hidden + unit.head * pairs;
        let rows = Rows { offset, stride: 3 * hidden, count: unit.length - first };
        sync_cube(); // all planes have read the previous tiles
        load::<E, T, N>(&mut keys, qkv, &rows, tile, pairs);
        let rows = Rows { offset: offset + hidden, stride: 3 * hidden, count: unit.length - first };
        load_transposed::<E, T, N>(&mut values, qkv, &rows, tile, pairs);
        sync_cube();
        let mut scores = zero_sums::<N>(columns);
        #[unroll]
        for j in 0..columns {
            #[unroll]
            for step in 0..steps {
                let key = operand::<T, N>(&keys, unit.column, unit.quarter, j, step, pairs);
                multiply_add::<T, N>(&query, &key, &mut scores, step, j);
            }
        }
        #[unroll]
        for half in 0..2usize {
            let mut highest = maximum[half];
            #[unroll]
            for j in 0..columns {
                let column = first + comptime!(j * 8) + unit.quarter * 2;
                let score = scores[j * 2 + half];
                let sees_x = column < unit.length && shape.sees(unit.position(half), column);
                let sees_y = column + 1 < unit.length && shape.sees(unit.position(half), column + 1);
                let x =
                    bias.add_to(score.extract(0usize) * shape.scale, unit.head, unit.position(half), column);
                let y = bias.add_to(
                    score.extract(1usize) * shape.scale,
                    unit.head,
                    unit.position(half),
                    column + 1,
                );
                let x = select(sees_x, x, LOWEST_SCORE);
                let y = select(sees_y, y, LOWEST_SCORE);
                scores[j * 2 + half] = pair::<N>(x, y);
                highest = max(highest, max(x, y));
            }
            highest = max_of_row(highest);
            let shrunk = (maximum[half] - highest).exp();
            maximum[half] = highest;
            sum_exp[half] *= shrunk;
            #[unroll]
            for j in 0..comptime!(pairs / 4) {
                sums[j * 2 + half] *= Vector::new(shrunk);
            }
            #[unroll]
            for j in 0..columns {
                let column = (first + comptime!(j * 8) + unit.quarter * 2) as u32;
                let x = (scores[j * 2 + half].extract(0usize) - highest).exp();
                let y = (scores[j * 2 + half].extract(1usize) - highest).exp();
                sum_exp[half] += x + y;
                scores[j * 2 + half] = pair::<N>(
                    x * dropout.factor(row_keys[half], column),
                    y * dropout.factor(row_keys[half], column + 1),
                );
            }
        }
        let p = as_operands::<T, N>(&scores, columns);
        #[unroll]
        for step in 0..comptime!(tile / 16) {
            #[unroll]
            for j in 0..comptime!(pairs / 4) {
                let value = operand::<T, N>(&values, unit.column, unit.quarter, j, step, comptime!(tile / 2));
                multiply_add::<T, N>(&p, &value, &mut sums, step, j);
            }
        }
        first += tile;
    }
    #[unroll]
    for half in 0..2usize {
        let sum = sum_of_row(sum_exp[half]);
        let position = unit.position(half);
        if position < unit.rows {
            let row = unit.start + position;
            let is_token = position < unit.length;
            let factor = select(is_token, 1.0 / sum, 0.0);
            store_sums::<E, N>(
                output,
                row * hidden + unit.head * pairs,
                &sums,
                factor,
                is_token,
                &unit,
                half,
                pairs,
            );
            if unit.quarter == 0 {
                let log_sum = select(is_token, maximum[half] + sum.ln(), 0.0);
                log_sum_exp[unit.head * shape.num_tokens + row] = log_sum;
            }
        }
    }
}

/// Loads the operands A of a plane's sixteen rows, one for each sixteen columns: `[steps, 4]`.
#[cube]
pub(super) fn load_operands<E: Float, T: Float, N: Size>(
    values: &[Vector<E, N>],
    unit: &UnitRows,
    offset: usize,
    stride: usize,
    #[comptime] steps: usize,
) -> Array<Vector<T, N>> {
    let upper = unit.batch_row(unit.position(0usize)) * stride + offset + unit.quarter;
    let lower = unit.batch_row(unit.position(1usize)) * stride + offset + unit.quarter;
    let mut operands = Array::<Vector<T, N>>::new(comptime!(4 * steps));
    #[unroll]
    for step in 0..steps {
        operands[step * 4] = Vector::cast_from(values[upper + step * 8]);
        operands[step * 4 + 1] = Vector::cast_from(values[lower + step * 8]);
        operands[step * 4 + 2] = Vector::cast_from(values[upper + step * 8 + 4]);
        operands[step * 4 + 3] = Vector::cast_from(values[lower + step * 8 + 4]);
    }
    operands
}

/// Writes factor · sums of one of the unit's two rows, or 0 if it is not of a token.
#[cube]
pub(super) fn store_sums<E: Float, N: Size>(
    values: &mut [Vector<E, N>],
    offset: usize,
    sums: &Array<Vector<f32, N>>, // [pairs / 4, 2]
    factor: f32,
    is_token: bool,
    unit: &UnitRows,
    #[comptime] half: usize,
    #[comptime] pairs: usize,
) {
    #[unroll]
    for j in 0..comptime!(pairs / 4) {
        let mut value = Vector::<f32, N>::new(0.0f32);
        if is_token {
            value = sums[j * 2 + half] * Vector::new(factor);
        }
        values[offset + comptime!(j * 4) + unit.quarter] = Vector::cast_from(value);
    }
}
