//! Rows of one head in registers and in shared memory, as vectors of N numbers.

use cubecl::prelude::*;

use crate::cube::planes::plane_sum;
use crate::dropout::cube::MaskGenerator;

/// The number of rows of a cube, if each unit (thread) has one.
pub(super) const ROWS: usize = 64;

/// Every device has as many units in a cube.
const MAX_UNITS: usize = 128;

/// Returns the number of units of a cube, if `parts` units share a row.
pub(super) fn units(parts: usize) -> usize {
    (ROWS * parts).min(MAX_UNITS)
}

/// Returns the number of rows of a cube, if `parts` units share a row.
pub(super) fn rows(parts: usize) -> usize {
    units(parts) / parts
}

/// A lower bound of all scores.
pub(super) const LOWEST_SCORE: f32 = -1e30;

/// The shape of a head, its scale, its tiles, and the keys that a query attends to.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct HeadShape {
    /// The number of rows of the batch.
    pub(super) num_tokens: usize,
    /// 1/√d
    pub(super) scale: f32,
    /// The number of vectors in a row.
    #[cube(comptime)]
    pub(super) vectors: usize,
    /// The number of rows in a tile.
    #[cube(comptime)]
    pub(super) tile: usize,
    /// True if a query attends only to keys that are at most `window` rows away.
    #[cube(comptime)]
    pub(super) windowed: bool,
    pub(super) window: usize,
}

#[cube]
impl HeadShape {
    /// Returns true if the query attends to the key.
    pub(super) fn sees(&self, query: usize, key: usize) -> bool {
        if comptime!(self.windowed) {
            max(query, key) - min(query, key) <= self.window
        } else {
            true.runtime()
        }
    }

    /// Returns the first row that the rows from `first` on attend to.
    pub(super) fn begin(&self, first: usize) -> usize {
        if comptime!(self.windowed) { max(first, self.window) - self.window } else { 0usize.runtime() }
    }

    /// Returns the end of the rows that `rows` rows from `first` on attend to.
    pub(super) fn end(&self, first: usize, length: usize, #[comptime] rows: usize) -> usize {
        if comptime!(self.windowed) { min(length, first + rows + self.window) } else { length }
    }
}

/// The head and sequence of a unit, and its row, or its part of the columns of a row.
#[derive(CubeType, Clone, Copy)]
pub(super) struct UnitRow {
    /// The number of units that share a row, each with its part of the columns.
    #[cube(comptime)]
    pub(super) parts: usize,
    /// The number of rows of a cube.
    #[cube(comptime)]
    pub(super) rows: usize,
    /// The number of the unit's part.
    pub(super) part: usize,
    pub(super) head: usize,
    pub(super) num_heads: usize,
    /// The first row of the sequence in the batch.
    pub(super) start: usize,
    /// The number of tokens of the sequence.
    pub(super) length: usize,
    /// The first row of the cube in its sequence.
    pub(super) first: usize,
    /// The row of the unit in its sequence. A unit after the last row computes with the last row and writes
    /// nothing.
    pub(super) position: usize,
    /// The row of the batch that the unit reads.
    pub(super) row: usize,
    /// True if the unit writes its columns of the row.
    pub(super) writes: bool,
    /// True if the row is padding. Its result is zero.
    pub(super) is_padding: bool,
}

#[cube]
impl UnitRow {
    /// Returns the key of the mask of a query's probabilities.
    pub(super) fn mask_key(&self, dropout: &MaskGenerator, position: usize) -> u32 {
        dropout.sequence_key(CUBE_POS_Z as usize, self.head as u32, position as u32)
    }

    /// Returns true if the unit must compute a score: also one that its row does not need, if units exchange sums.
    pub(super) fn computes(&self, needed: bool) -> bool {
        if comptime!(self.parts > 1) { true.runtime() } else { needed }
    }

    /// Returns the sum over the units of the row.
    pub(super) fn sum(&self, value: f32) -> f32 {
        plane_sum(value, self.parts)
    }
}

#[cube]
pub(super) fn unit_row(sequences: &[u32], #[comptime] parts: usize) -> UnitRow {
    let sequence = CUBE_POS_Z as usize * 3;
    let start = sequences[sequence] as usize;
    let length = sequences[sequence + 1] as usize;
    let rows_of_sequence = sequences[sequence + 2] as usize;
    let first = CUBE_POS_X as usize * comptime!(rows(parts));
    let position = first + UNIT_POS as usize / parts;
    UnitRow {
        parts,
        rows: comptime!(rows(parts)),
        part: UNIT_POS as usize % parts,
        head: CUBE_POS_Y as usize,
        num_heads: CUBE_COUNT_Y as usize,
        start,
        length,
        first,
        position,
        row: start + min(position, max(rows_of_sequence, 1) - 1),
        writes: position < rows_of_sequence,
        is_padding: position >= length,
    }
}

#[cube]
pub(super) fn zeros<N: Size>(#[comptime] vectors: usize) -> Array<Vector<f32, N>> {
    let mut row = Array::<Vector<f32, N>>::new(vectors);
    #[unroll]
    for i in 0..vectors {
        row[i] = Vector::new(0.0f32);
    }
    row
}

/// Writes factor · row to memory.
#[cube]
pub(super) fn store_row<N: Size>(
    values: &mut [Vector<f32, N>],
    offset: usize,
    row: &Array<Vector<f32, N>>,
    factor: f32,
    #[comptime] vectors: usize,
) {
    #[unroll]
    for i in 0..vectors {
        values[offset + i] = row[i] * Vector::new(factor);
    }
}

/// Loads `count` rows, `stride` apart, into shared memory. All units of the cube participate.
#[cube]
pub(super) fn load_tile<N: Size>(
    tile: &mut Shared<[Vector<f32, N>]>,
    values: &[Vector<f32, N>],
    offset: usize,
    stride: usize,
    count: usize,
    #[comptime] vectors: usize,
) {
    let mut i = UNIT_POS as usize;
    while i < count * vectors {
        tile[i] = values[offset + i / vectors * stride + i % vectors];
        i += CUBE_DIM as usize;
    }
}

/// Returns row · (the columns at `place` of the tile).
#[cube]
pub(super) fn dot<N: Size>(
    row: &Array<Vector<f32, N>>,
    tile: &Shared<[Vector<f32, N>]>,
    place: usize,
    #[comptime] vectors: usize,
) -> f32 {
    let mut sum = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for j in 0..vectors {
        sum += row[j] * tile[place + j];
    }
    sum.vector_sum()
}

/// Computes row += factor · (the columns at `place` of the tile).
#[cube]
pub(super) fn add_scaled_row<N: Size>(
    row: &mut Array<Vector<f32, N>>,
    factor: f32,
    tile: &Shared<[Vector<f32, N>]>,
    place: usize,
    #[comptime] vectors: usize,
) {
    let factor = Vector::<f32, N>::new(factor);
    #[unroll]
    for j in 0..vectors {
        row[j] += factor * tile[place + j];
    }
}
