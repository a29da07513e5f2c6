//! The forward kernel of embeddings: y = word[id] + position[first_position + p] + token_type[t]. Each unit
//! has one vector of a row.

use cubecl::prelude::*;

use super::sequences::DeviceSequences;

#[cube(launch)]
pub(super) fn embed<I: Int, N: Size>(
    ids: &[I],                     // [rows]
    word: &[Vector<f32, N>],       // [vocab_size, hidden]
    position: &[Vector<f32, N>],   // [max_position_embeddings, hidden]
    token_type: &[Vector<f32, N>], // [type_vocab_size, hidden]
    y: &mut [Vector<f32, N>],      // [rows, hidden]
    sequences: &DeviceSequences,
    num_rows: usize,
    #[comptime] vectors: usize,
    #[comptime] has_types: bool,
    #[define(I)] _dtype: ElemType,
) {
    let row = ABSOLUTE_POS / vectors;
    if row >= num_rows {
        terminate!();
    }
    let column = ABSOLUTE_POS % vectors;
    let place = sequences.place(row);
    let id = u32::cast_from(ids[row]) as usize;
    let mut sum = word[id * vectors + column] + position[place.position * vectors + column];
    if comptime!(has_types) {
        sum += token_type[place.token_type * vectors + column];
    }
    y[ABSOLUTE_POS] = sum;
}
