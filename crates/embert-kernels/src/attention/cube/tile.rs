//! Rows of one head in registers and in shared memory, in vectors of N numbers.

use cubecl::prelude::*;

/// Units of a cube, each with a row of its own.
pub(super) const UNITS: usize = 64;

/// The layout of a head in memory.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Width {
    /// Rows of the batch.
    pub(super) num_tokens: usize,
    /// 1/√d
    pub(super) scale: f32,
    /// Vectors of a row.
    #[cube(comptime)]
    pub(super) vectors: usize,
    /// Rows of a tile.
    #[cube(comptime)]
    pub(super) tile: usize,
}

/// Where a unit works: one row of one head of one sequence.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Place {
    pub(super) head: usize,
    pub(super) num_heads: usize,
    /// The sequence's first row among those of the batch.
    pub(super) start: usize,
    /// Its tokens.
    pub(super) length: usize,
    /// The unit's row in the sequence; a unit past the last row computes as if it had the last token, and writes nothing.
    pub(super) position: usize,
    /// That of the row that it reads, among those of the batch.
    pub(super) row: usize,
    /// Whether it has a row to write.
    pub(super) writes: bool,
    /// Whether that is padding, where zeros belong.
    pub(super) is_padding: bool,
}

#[cube]
pub(super) fn place(sequences: &[u32]) -> Place {
    let sequence = CUBE_POS_Z as usize * 3;
    let start = sequences[sequence] as usize;
    let length = sequences[sequence + 1] as usize;
    let rows = sequences[sequence + 2] as usize;
    let position = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
    Place {
        head: CUBE_POS_Y as usize,
        num_heads: CUBE_COUNT_Y as usize,
        start,
        length,
        position,
        row: start + min(position, max(rows, 1) - 1),
        writes: position < rows,
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

#[cube]
pub(super) fn read<N: Size>(
    values: &[Vector<f32, N>],
    at: usize,
    #[comptime] vectors: usize,
) -> Array<Vector<f32, N>> {
    let mut row = Array::<Vector<f32, N>>::new(vectors);
    #[unroll]
    for i in 0..vectors {
        row[i] = values[at + i];
    }
    row
}

/// factor · row to memory.
#[cube]
pub(super) fn write<N: Size>(
    values: &mut [Vector<f32, N>],
    at: usize,
    row: &Array<Vector<f32, N>>,
    factor: f32,
    #[comptime] vectors: usize,
) {
    #[unroll]
    for i in 0..vectors {
        values[at + i] = row[i] * Vector::new(factor);
    }
}

/// `count` rows, `stride` apart, to shared memory, by all units of the cube.
#[cube]
pub(super) fn load<N: Size>(
    tile: &mut Shared<[Vector<f32, N>]>,
    values: &[Vector<f32, N>],
    at: usize,
    stride: usize,
    count: usize,
    #[comptime] vectors: usize,
) {
    let mut i = UNIT_POS as usize;
    while i < count * vectors {
        tile[i] = values[at + i / vectors * stride + i % vectors];
        i += UNITS;
    }
}

/// row · (row number i of the tile)
#[cube]
pub(super) fn dot<N: Size>(
    row: &Array<Vector<f32, N>>,
    tile: &Shared<[Vector<f32, N>]>,
    i: usize,
    #[comptime] vectors: usize,
) -> f32 {
    let mut sum = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for j in 0..vectors {
        sum += row[j] * tile[i * vectors + j];
    }
    sum.vector_sum()
}

/// row += factor · (row number i of the tile)
#[cube]
pub(super) fn add<N: Size>(
    row: &mut Array<Vector<f32, N>>,
    factor: f32,
    tile: &Shared<[Vector<f32, N>]>,
    i: usize,
    #[comptime] vectors: usize,
) {
    let factor = Vector::<f32, N>::new(factor);
    #[unroll]
    for j in 0..vectors {
        row[j] += factor * tile[i * vectors + j];
    }
}
