//! O = dropout(softmax(QKᵀ/√d))·V by a running maximum (Milakov and Gimelshein, 2018): a unit for each query.

use cubecl::prelude::*;

use super::tile::{add, dot, load, place, read, write, zeros};
use crate::cube::dropout::factor;

/// Less than any score.
const LOWEST: f32 = -1e30;

#[cube(launch)]
pub(super) fn attend<N: Size>(
    sequences: &[u32],             // [batch, 3]
    qkv: &[Vector<f32, N>],        // [num_tokens, 3, num_heads, d]
    keys: &[u32],                  // [num_heads, num_tokens]
    output: &mut [Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sums: &mut [f32],          // [num_heads, num_tokens]
    num_tokens: usize,
    scale: f32,
    threshold: u32,
    kept: f32,
    #[comptime] vectors: usize,
    #[comptime] tile: usize,
    #[comptime] drops: bool,
) {
    let place = place(sequences);
    let hidden = place.num_heads * vectors;
    let of_head = place.head * num_tokens;
    let query = read(qkv, place.row * 3 * hidden + place.head * vectors, vectors);
    let mut sum = zeros::<N>(vectors); // Σ exp(score − largest) · mask · value
    let mut total = 0.0f32; // Σ exp(score − largest)
    let mut largest = LOWEST.runtime();
    let mut row_key = 0u32;
    if comptime!(drops) {
        row_key = keys[of_head + place.row];
    }
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
            let score = dot(&query, &key_tile, i, vectors) * scale;
            if score > largest {
                let shrunk = (largest - score).exp();
                largest = score;
                total *= shrunk;
                #[unroll]
                for j in 0..vectors {
                    sum[j] *= Vector::new(shrunk);
                }
            }
            let mut p = (score - largest).exp();
            total += p;
            if comptime!(drops) {
                p *= factor(row_key, (first + i) as u32, threshold, kept);
            }
            add(&mut sum, p, &value_tile, i, vectors);
        }
        sync_cube();
        first += tile;
    }
    if place.writes {
        let at = place.row * hidden + place.head * vectors;
        if place.is_padding {
            write(output, at, &zeros::<N>(vectors), 0.0, vectors);
            log_sums[of_head + place.row] = 0.0;
        } else {
            write(output, at, &sum, 1.0 / total, vectors);
            log_sums[of_head + place.row] = largest + total.ln();
        }
    }
}
