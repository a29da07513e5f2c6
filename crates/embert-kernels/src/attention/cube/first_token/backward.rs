//! P = exp(q·K/√d − log Σ exp) is computed again. M is the dropout mask: dV = (P∘M)·dO, dS = P∘(M∘(dO·V) − Σ dO∘O)/√d,
//! dq = dS·K, dK = dS·q. Padding rows, and keys outside of the window, have zero gradients.

use cubecl::prelude::*;

use super::head::{HeadColumns, UNITS, store_sum, sum_of_group};
use crate::attention::cube::head_row::{dot, load};
use crate::dropout::cube::MaskGenerator;

#[cube(launch)]
pub(super) fn gradients<E: Float, N: Size>(
    sequences: &[u32],               // [batch, 3]
    query: &[Vector<E, N>],          // [batch, num_heads, d]
    key_value: &[Vector<E, N>],      // [num_tokens, 2, num_heads, d]
    output: &[Vector<E, N>],         // [batch, num_heads, d]
    log_sum_exp: &[f32],             // [num_heads, batch]
    gradient: &[Vector<E, N>],       // [batch, num_heads, d]
    dquery: &mut [Vector<E, N>],     // [batch, num_heads, d]
    dkey_value: &mut [Vector<E, N>], // [num_tokens, 2, num_heads, d]
    dropout: &MaskGenerator,         // of each sequence, head and query
    columns: HeadColumns,
    #[define(E)] _dtype: ElemType,
) {
    let vectors = columns.vectors.comptime();
    let head = columns.head(sequences);
    let unit = UNIT_POS as usize;
    let q = load(query, head.query(), vectors);
    let g = load(gradient, head.query(), vectors);
    let product = dot(&g, output, head.query(), vectors); // Σ dO∘O
    let log_sum = log_sum_exp[head.place];
    let mask_key = dropout.sequence_key(head.sequence, CUBE_POS_X, 0u32);
    let mut score_gradients = Shared::<[f32]>::new_slice(UNITS);
    let mut dq = Vector::<f32, N>::new(0.0f32);
    let mut first = 0usize.runtime();
    while first < head.rows {
        let (key, count) = (first + unit, min(UNITS, head.rows - first));
        let mut of_score = 0.0f32;
        let mut of_value = 0.0f32;
        if key < head.keys {
            let offset = head.key(key);
            let p = (dot(&q, key_value, offset, vectors) * columns.scale - log_sum).exp();
            let mask = dropout.factor(mask_key, key as u32);
            let dp = dot(&g, key_value, offset + head.hidden, vectors) * mask;
            of_score = p * (dp - product) * columns.scale;
            of_value = p * mask;
        }
        if key < head.rows {
            let offset = head.key(key);
            #[unroll]
            for i in 0..vectors {
                dkey_value[offset + i] = Vector::cast_from(q[i] * Vector::new(of_score));
                dkey_value[offset + head.hidden + i] = Vector::cast_from(g[i] * Vector::new(of_value));
            }
        }
        score_gradients[unit] = of_score;
        sync_cube();
        dq += sum_of_group(&score_gradients, key_value, head.key(first), 2 * head.hidden, count, vectors);
        sync_cube();
        first += UNITS;
    }
    store_sum(dq, 1.0f32.runtime(), dquery, head.query(), vectors);
}
