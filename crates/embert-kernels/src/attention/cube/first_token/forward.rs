//! o = Σ pⱼ·maskⱼ·vⱼ with p = softmax(q·K/√d), by online softmax over tiles of keys.

use cubecl::prelude::*;

use super::head::{HeadColumns, UNITS, store_sum, sum_of_group};
use crate::attention::cube::head_row::{dot, load};
use crate::attention::cube::tile::LOWEST_SCORE;
use crate::dropout::cube::MaskGenerator;

#[cube(launch)]
pub(super) fn attend<E: Float, N: Size>(
    sequences: &[u32],           // [batch, 3]
    query: &[Vector<E, N>],      // [batch, num_heads, d]
    key_value: &[Vector<E, N>],  // [num_tokens, 2, num_heads, d]
    output: &mut [Vector<E, N>], // [batch, num_heads, d]
    log_sum_exp: &mut [f32],     // [num_heads, batch]
    dropout: &MaskGenerator,     // of each sequence, head and query
    columns: HeadColumns,
    #[define(E)] _dtype: ElemType,
) {
    let vectors = columns.vectors.comptime();
    let head = columns.head(sequences);
    let unit = UNIT_POS as usize;
    let q = load(query, head.query(), vectors);
    let mask_key = dropout.sequence_key(head.sequence, CUBE_POS_X, 0u32);
    let mut scores = Shared::<[f32]>::new_slice(UNITS);
    let mut factors = Shared::<[f32]>::new_slice(UNITS); // exp(score − highest) · mask
    let mut highest = LOWEST_SCORE.runtime();
    let mut sum_exp = 0.0f32;
    let mut sum = Vector::<f32, N>::new(0.0f32);
    let mut first = 0usize.runtime();
    while first < head.keys {
        let (key, count) = (first + unit, min(UNITS, head.keys - first));
        let mut score = LOWEST_SCORE.runtime();
        if key < head.keys {
            score = dot(&q, key_value, head.key(key), vectors) * columns.scale;
        }
        scores[unit] = score;
        sync_cube();
        let before = highest;
        for i in 0..count {
            if scores[i] > highest {
                highest = scores[i];
            }
        }
        let shrunk = (before - highest).exp();
        factors[unit] = (score - highest).exp() * dropout.factor(mask_key, key as u32);
        sync_cube();
        sum_exp *= shrunk;
        for i in 0..count {
            sum_exp += (scores[i] - highest).exp();
        }
        let offset = head.key(first) + head.hidden;
        let of_tile = sum_of_group(&factors, key_value, offset, 2 * head.hidden, count, vectors);
        sum = sum * Vector::new(shrunk) + of_tile;
        sync_cube();
        first += UNITS;
    }
    store_sum(sum, 1.0 / sum_exp, output, head.query(), vectors);
    if unit == 0 {
        log_sum_exp[head.place] = highest + sum_exp.ln();
    }
}
