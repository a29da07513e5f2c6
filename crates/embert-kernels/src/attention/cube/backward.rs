//! The gradients of attention, with P = exp(QKᵀ/√d − log Σ exp) computed again and M the dropout mask:
//! dV = (P∘M)ᵀ dO, dS = P∘(M∘(dO Vᵀ) − Σ dO∘O)/√d, dQ = dS K, dK = dSᵀ Q.

use cubecl::prelude::*;

use super::tile::{Width, add, dot, load, place, read, write, zeros};
use crate::dropout::cube::Draw;

/// dQ, and Σ dO∘O of each row: a unit for each query.
#[cube(launch)]
pub(super) fn query_gradient<N: Size>(
    sequences: &[u32],           // [batch, 3]
    qkv: &[Vector<f32, N>],      // [num_tokens, 3, num_heads, d]
    output: &[Vector<f32, N>],   // [num_tokens, num_heads, d]
    gradient: &[Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sums: &[f32],            // [num_heads, num_tokens]
    dqkv: &mut [Vector<f32, N>], // [num_tokens, 3, num_heads, d]
    products: &mut [f32],        // [num_heads, num_tokens]
    draw: &Draw,                 // [num_heads, num_tokens]
    width: Width,
) {
    let place = place(sequences);
    let vectors = width.vectors.comptime();
    let tile = width.tile.comptime();
    let hidden = place.num_heads * vectors;
    let of_row = place.head * width.num_tokens + place.row;
    let query = read(qkv, place.row * 3 * hidden + place.head * vectors, vectors);
    let g = read(gradient, place.row * hidden + place.head * vectors, vectors);
    let mut products_of_row = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for j in 0..vectors {
        products_of_row += g[j] * output[place.row * hidden + place.head * vectors + j];
    }
    let product = products_of_row.vector_sum();
    let log_sum = log_sums[of_row];
    let row_key = draw.key(of_row);
    let mut dq = zeros::<N>(vectors);
    let mut key_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut value_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut first = 0usize;
    while first < place.length {
        let count = min(tile, place.length - first);
        let at = (place.start + first) * 3 * hidden + hidden + place.head * vectors;
        load(&mut key_tile, qkv, at, 3 * hidden, count, vectors);
        load(&mut value_tile, qkv, at + hidden, 3 * hidden, count, vectors);
        sync_cube();
        for i in 0..count {
            let p = (dot(&query, &key_tile, i, vectors) * width.scale - log_sum).exp();
            let dp = dot(&g, &value_tile, i, vectors) * draw.factor(row_key, (first + i) as u32);
            add(&mut dq, p * (dp - product), &key_tile, i, vectors);
        }
        sync_cube();
        first += tile;
    }
    if place.writes {
        let at = place.row * 3 * hidden + place.head * vectors;
        products[of_row] = product;
        if place.is_padding {
            write(dqkv, at, &zeros::<N>(vectors), 0.0, vectors);
        } else {
            write(dqkv, at, &dq, width.scale, vectors);
        }
    }
}

/// dK or dV: a unit for each key. Two launches rather than one, since a row of each would not fit into registers.
#[cube(launch)]
pub(super) fn key_or_value_gradient<N: Size>(
    sequences: &[u32],           // [batch, 3]
    qkv: &[Vector<f32, N>],      // [num_tokens, 3, num_heads, d]
    gradient: &[Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sums: &[f32],            // [num_heads, num_tokens]
    products: &[f32],            // [num_heads, num_tokens]
    dqkv: &mut [Vector<f32, N>], // [num_tokens, 3, num_heads, d]
    draw: &Draw,                 // [num_heads, num_tokens]
    width: Width,
    #[comptime] of_value: bool,
) {
    let place = place(sequences);
    let vectors = width.vectors.comptime();
    let tile = width.tile.comptime();
    let hidden = place.num_heads * vectors;
    let of_sequence = place.head * width.num_tokens + place.start;
    let key_at = place.row * 3 * hidden + hidden + place.head * vectors;
    let key = read(qkv, key_at, vectors);
    let value = read(qkv, key_at + hidden, vectors);
    let mut sum = zeros::<N>(vectors);
    let mut query_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut gradient_tile = Shared::<[Vector<f32, N>]>::new_slice(comptime!(tile * vectors));
    let mut first = 0usize;
    while first < place.length {
        let count = min(tile, place.length - first);
        let row = place.start + first;
        load(&mut query_tile, qkv, row * 3 * hidden + place.head * vectors, 3 * hidden, count, vectors);
        load(&mut gradient_tile, gradient, row * hidden + place.head * vectors, hidden, count, vectors);
        sync_cube();
        for i in 0..count {
            let of_query = of_sequence + first + i;
            let p = (dot(&key, &query_tile, i, vectors) * width.scale - log_sums[of_query]).exp();
            let mask = draw.factor(draw.key(of_query), place.position as u32);
            if comptime!(of_value) {
                add(&mut sum, p * mask, &gradient_tile, i, vectors);
            } else {
                let dp = dot(&value, &gradient_tile, i, vectors) * mask;
                add(&mut sum, p * (dp - products[of_query]), &query_tile, i, vectors);
            }
        }
        sync_cube();
        first += tile;
    }
    if place.writes {
        let at = if comptime!(of_value) { key_at + hidden } else { key_at };
        if place.is_padding {
            write(dqkv, at, &zeros::<N>(vectors), 0.0, vectors);
        } else if comptime!(of_value) {
            write(dqkv, at, &sum, 1.0, vectors);
        } else {
            write(dqkv, at, &sum, width.scale, vectors);
        }
    }
}
