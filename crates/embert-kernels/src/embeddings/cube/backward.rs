//! The backward kernels of embeddings: the gradient of a row of a table is Σ g over the tokens that read it.

use cubecl::prelude::*;

use super::sequences::DeviceSequences;
use crate::cube::parts::{VECTORS_PER_CUBE, sum_of_parts};

/// The number of units of a cube of [`sum_rows_of_ids`].
pub(super) const UNITS: usize = 256;
/// The number of units that share a row.
const UNITS_PER_ROW: usize = 32;
/// The number of groups of units. Each adds a part of the rows.
const GROUPS: usize = UNITS / UNITS_PER_ROW;

/// Adds the rows of each id. The cube of the first token of an id has all of its tokens.
#[cube(launch)]
pub(super) fn sum_rows_of_ids<N: Size>(
    gradient: &[Vector<f32, N>],  // [rows, hidden]
    sorted_ids: &[u32],           // [num_tokens]
    sorted_rows: &[u32],          // [num_tokens]
    table: &mut [Vector<f32, N>], // [vocab_size, hidden], zeros
    num_tokens: usize,
    #[comptime] vectors: usize,
) {
    let first = CUBE_POS;
    if first >= num_tokens {
        terminate!();
    }
    let id = sorted_ids[first];
    if first > 0 && sorted_ids[max(first, 1) - 1] == id {
        terminate!();
    }
    let count = end_of_id(sorted_ids, first, num_tokens) - first;
    let unit = UNIT_POS as usize % UNITS_PER_ROW;
    let group = UNIT_POS as usize / UNITS_PER_ROW;
    let vectors_per_unit = comptime!(vectors.div_ceil(UNITS_PER_ROW));
    let mut sum = Array::<Vector<f32, N>>::new(vectors_per_unit);
    #[unroll]
    for i in 0..vectors_per_unit {
        sum[i] = Vector::new(0.0f32);
    }
    let share = (count + comptime!(GROUPS - 1)) / GROUPS;
    let end = first + min((group + 1) * share, count);
    let mut token = first + group * share;
    while token < end {
        let row = sorted_rows[token] as usize;
        #[unroll]
        for i in 0..vectors_per_unit {
            let column = i * UNITS_PER_ROW + unit;
            if column < vectors {
                sum[i] += gradient[row * vectors + column];
            }
        }
        token += 1;
    }
    if count > 1 {
        let mut sums = Shared::<[Vector<f32, N>]>::new_slice(UNITS);
        #[unroll]
        for i in 0..vectors_per_unit {
            sync_cube(); // every unit has read the previous sums
            sums[UNIT_POS as usize] = sum[i];
            sync_cube();
            #[unroll]
            for other in 1..GROUPS {
                sum[i] += sums[other * UNITS_PER_ROW + unit];
            }
        }
    }
    if group == 0 {
        #[unroll]
        for i in 0..vectors_per_unit {
            let column = i * UNITS_PER_ROW + unit;
            if column < vectors {
                table[id as usize * vectors + column] = sum[i];
            }
        }
    }
}

/// Returns the place after the last token with the id of the token at `first`: steps that double, and then a binary
/// search.
#[cube]
fn end_of_id(sorted_ids: &[u32], first: usize, num_tokens: usize) -> usize {
    let id = sorted_ids[first];
    let mut last = first;
    let mut end = first + 1;
    let mut step = 1usize;
    while end < num_tokens && sorted_ids[min(end, num_tokens - 1)] == id {
        last = end;
        step *= 2;
        end = last + step;
    }
    end = min(end, num_tokens);
    while end > last + 1 {
        let middle = (last + end) / 2;
        if sorted_ids[middle] == id {
            last = middle;
        } else {
            end = middle;
        }
    }
    end
}

/// Adds the rows of each position, over the sequences that reach it. Each cube has one row of the table.
#[cube(launch)]
pub(super) fn sum_rows_of_positions<N: Size>(
    gradient: &[Vector<f32, N>],  // [rows, hidden]
    table: &mut [Vector<f32, N>], // [max_position_embeddings, hidden]
    sequences: &DeviceSequences,
    num_positions: usize,
    #[comptime] vectors: usize,
) {
    let table_row = CUBE_POS;
    if table_row >= num_positions {
        terminate!();
    }
    let first = sequences.first_position;
    let is_read = table_row >= first; // rows before the first position have no token
    let position = max(table_row, first) - first;
    let mut column = UNIT_POS as usize;
    while column < vectors {
        let mut sum = Vector::<f32, N>::new(0.0f32);
        for sequence in 0..sequences.num_sequences {
            if is_read && position < sequences.length(sequence) {
                sum += gradient[(sequences.start(sequence) + position) * vectors + column];
            }
        }
        table[table_row * vectors + column] = sum;
        column += CUBE_DIM as usize;
    }
}

/// Adds the rows of each of the two token types, in the rows of one cube.
#[cube(launch)]
pub(super) fn sum_rows_of_types<N: Size>(
    gradient: &[Vector<f32, N>],    // [rows, hidden]
    partial: &mut [Vector<f32, N>], // [parts, 2, hidden]
    sequences: &DeviceSequences,
    num_rows: usize,
    rows_per_part: usize,
    #[comptime] vectors: usize,
) {
    let end = min((CUBE_POS + 1) * rows_per_part, num_rows);
    let mut column = UNIT_POS as usize;
    while column < vectors {
        let mut first = Vector::<f32, N>::new(0.0f32);
        let mut second = Vector::<f32, N>::new(0.0f32);
        for row in CUBE_POS * rows_per_part..end {
            let place = sequences.place(row);
            if !place.is_padding {
                let g = gradient[row * vectors + column];
                if place.token_type == 0 {
                    first += g;
                } else {
                    second += g;
                }
            }
        }
        partial[CUBE_POS * 2 * vectors + column] = first;
        partial[(CUBE_POS * 2 + 1) * vectors + column] = second;
        column += CUBE_DIM as usize;
    }
}

/// Adds the partial sums of each token type. Types after the second one have no token.
#[cube(launch)]
pub(super) fn sum_types<N: Size>(
    partial: &[Vector<f32, N>],   // [parts, 2, hidden]
    table: &mut [Vector<f32, N>], // [type_vocab_size, hidden]
    num_parts: usize,
    #[comptime] vectors: usize,
) {
    let token_type = CUBE_POS_Y as usize;
    let column = CUBE_POS_X as usize * VECTORS_PER_CUBE + UNIT_POS as usize % VECTORS_PER_CUBE;
    let mut sum = Vector::<f32, N>::new(0.0f32);
    if token_type < 2 {
        let offset = token_type * vectors + min(column, comptime!(vectors - 1));
        sum = sum_of_parts(partial, offset, comptime!(2 * vectors), num_parts);
    }
    if (UNIT_POS as usize) < VECTORS_PER_CUBE && column < vectors {
        table[token_type * vectors + column] = sum;
    }
}
