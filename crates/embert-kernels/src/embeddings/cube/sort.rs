//! Sorts the tokens of a batch by id. Tokens of one id keep their order.
//!
//! The place of a token is the number of tokens before it: those with a smaller id, and those with the same id and a
//! smaller row. Every token is compared with every other one, which needs neither atomics nor several passes.

use cubecl::prelude::*;

use super::sequences::DeviceSequences;

/// The number of units of a cube.
pub(super) const UNITS: usize = 256;
/// The number of tokens of a cube.
pub(super) const TOKENS_PER_CUBE: usize = 32;
/// The number of units that share a token. Each counts in a slice of the tile.
const SLICES: usize = UNITS / TOKENS_PER_CUBE;
/// The number of ids in shared memory.
const TILE: usize = 1024;
const SLICE: usize = TILE / SLICES;
/// The id of padding: after all others.
const PADDING: u32 = u32::MAX;

#[cube(launch)]
pub(super) fn sort_by_id<I: Int>(
    ids: &[I],               // [rows]
    sorted_ids: &mut [u32],  // [rows], without padding
    sorted_rows: &mut [u32], // [rows], without padding
    sequences: &DeviceSequences,
    num_rows: usize,
    #[define(I)] _dtype: ElemType,
) {
    let unit = UNIT_POS as usize;
    let slice = unit / TOKENS_PER_CUBE;
    let row = CUBE_POS * TOKENS_PER_CUBE + unit % TOKENS_PER_CUBE;
    let id = id_of_token::<I>(ids, sequences, row, num_rows);
    let mut tile = Shared::<[u32]>::new_slice(TILE);
    let mut rank = 0u32;
    let mut first = 0usize;
    while first < num_rows {
        #[unroll]
        for i in 0..comptime!(TILE / UNITS) {
            let offset = i * UNITS + unit;
            tile[offset] = id_of_token::<I>(ids, sequences, first + offset, num_rows);
        }
        sync_cube();
        let start = first + slice * SLICE;
        // Rows before this one count if their id is smaller or the same.
        let split = min(max(row, start) - start, SLICE);
        for i in 0..split {
            rank += select(tile[slice * SLICE + i] <= id, 1u32, 0u32);
        }
        for i in split..SLICE {
            rank += select(tile[slice * SLICE + i] < id, 1u32, 0u32);
        }
        sync_cube();
        first += TILE;
    }
    tile[unit] = rank;
    sync_cube();
    if unit < TOKENS_PER_CUBE && id != PADDING {
        let mut rank = 0u32;
        #[unroll]
        for i in 0..SLICES {
            rank += tile[i * TOKENS_PER_CUBE + unit];
        }
        sorted_ids[rank as usize] = id;
        sorted_rows[rank as usize] = row as u32;
    }
}

/// Returns the id of a row, and `PADDING` for padding and after the last row.
#[cube]
fn id_of_token<I: Int>(ids: &[I], sequences: &DeviceSequences, row: usize, num_rows: usize) -> u32 {
    let mut id = PADDING.runtime();
    if row < num_rows {
        let place = sequences.place(row);
        if !place.is_padding {
            id = u32::cast_from(ids[row]);
        }
    }
    id
}
