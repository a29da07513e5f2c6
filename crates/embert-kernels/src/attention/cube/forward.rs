//! O = dropout(softmax(QKᵀ/√d))·V by a running maximum (Milakov and Gimelshein, 2018): a unit for each query.

use cubecl::prelude::*;

use super::tile::{Width, add, dot, load, place, read, write, zeros};
use crate::dropout::cube::Draw;

/// Less than any score.
const LOWEST: f32 = -1e30;

#[cube(launch)]
pub(super) fn attend<N: Size>(
    sequences: &[u32],             // [batch, 3]
    qkv: &[Vector<f32, N>],        // [num_tokens, 3, num_heads, d]
    output: &mut [Vector<f32, N>], // [num_tokens, num_heads, d]
    log_sums: &mut [f32],          // [num_heads, num_tokens]
    draw: &Draw,                   // [num_heads, num_tokens]
    width: Width,
) {
    let place = place(sequences);
    let vectors = width.vectors.comptime();
    let tile = width.tile.comptime();
    let hidden = place.num_heads * vectors;
    let of_row = place.head * width.num_tokens + place.row;
    let query = read(qkv, place.row * 3 * hidden + place.head * vectors, vectors);
    let mut sum = zeros::<N>(vectors); // Σ exp(score − largest) · mask · value
    let mut total = 0.0f32; // Σ exp(score − largest)
    let mut largest = LOWEST.runtime();
    let row_key = draw.key(of_row);
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
            let score = dot(&query, &key_tile, i, vectors) * width.scale;
            if score > largest {
                let shrunk = (largest - score).exp();
                largest = score;
                total *= shrunk;
                #[unroll]
                for j in 0..vectors {
                    sum[j] *= Vector::new(shrunk);
                }
            }
            let p = (score - largest).exp();
            total += p;
            add(&mut sum, p * draw.factor(row_key, (first + i) as u32), &value_tile, i, vectors);
        }
        sync_cube();
        first += tile;
    }
    if place.writes {
        let at = place.row * hidden + place.head * vectors;
        if place.is_padding {
            write(output, at, &zeros::<N>(vectors), 0.0, vectors);
            log_sums[of_row] = 0.0;
        } else {
            write(output, at, &sum, 1.0 / total, vectors);
            log_sums[of_row] = largest + total.ln();
        }
    }
}
