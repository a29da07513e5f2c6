//! One head of one sequence: where its rows are, and what each unit of its cube computes.

use cubecl::prelude::*;

/// The number of units of a cube, and of keys in a tile. At least the number of vectors of a row.
pub(super) const UNITS: usize = 128;

/// The columns of a head, its scale, and the keys that a query attends to.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct HeadColumns {
    /// 1/√d
    pub(super) scale: f32,
    /// The number of vectors in a row.
    #[cube(comptime)]
    pub(super) vectors: usize,
    /// True if a query attends only to keys that are at most `window` rows away.
    #[cube(comptime)]
    pub(super) windowed: bool,
    pub(super) window: usize,
}

/// The head and the sequence of a cube.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Head {
    pub(super) sequence: usize,
    /// The place of log Σ exp in `[num_heads, batch]`.
    pub(super) place: usize,
    /// The first vector of the head in a row of the query, and in a row of keys.
    pub(super) column: usize,
    /// The number of vectors in a row of the query.
    pub(super) hidden: usize,
    /// The first row of the sequence in the batch.
    pub(super) start: usize,
    /// The number of rows of the sequence with padding.
    pub(super) rows: usize,
    /// The number of keys that the query attends to.
    pub(super) keys: usize,
}

#[cube]
impl HeadColumns {
    /// Returns the head and the sequence of this cube.
    pub(super) fn head(&self, sequences: &[u32]) -> Head {
        let number = CUBE_POS_X as usize;
        let sequence = CUBE_POS_Y as usize;
        let vectors = self.vectors.comptime();
        let length = sequences[sequence * 3 + 1] as usize;
        let mut keys = length;
        if comptime!(self.windowed) {
            keys = min(length, self.window + 1);
        }
        Head {
            sequence,
            place: number * CUBE_COUNT_Y as usize + sequence,
            column: number * vectors,
            hidden: CUBE_COUNT_X as usize * vectors,
            start: sequences[sequence * 3] as usize,
            rows: sequences[sequence * 3 + 2] as usize,
            keys,
        }
    }
}

#[cube]
impl Head {
    /// Returns the first vector of a key. Its value is `hidden` vectors behind.
    pub(super) fn key(&self, key: usize) -> usize {
        (self.start + key) * 2 * self.hidden + self.column
    }

    /// Returns the first vector of the query.
    pub(super) fn query(&self) -> usize {
        self.sequence * self.hidden + self.column
    }
}

/// Returns Σ factor of key · (column of the unit in the row of the key), over the keys of the unit's group in a tile.
/// The row of the tile's first key is at `offset`, and the next rows are `stride` vectors apart.
#[cube]
pub(super) fn sum_of_group<E: Float, N: Size>(
    factors: &Shared<[f32]>,
    values: &[Vector<E, N>],
    offset: usize,
    stride: usize,
    count: usize,
    #[comptime] vectors: usize,
) -> Vector<f32, N> {
    let groups = comptime!(UNITS / vectors);
    let column = UNIT_POS as usize % vectors;
    let mut key = UNIT_POS as usize / vectors;
    let mut sum = Vector::<f32, N>::new(0.0f32);
    if key < groups {
        while key < count {
            let factor = Vector::<f32, N>::new(factors[key]);
            sum += factor * Vector::cast_from(values[offset + key * stride + column]);
            key += groups;
        }
    }
    sum
}

/// Writes Σ over the groups · factor to a row.
#[cube]
pub(super) fn store_sum<E: Float, N: Size>(
    sum: Vector<f32, N>,
    factor: f32,
    values: &mut [Vector<E, N>],
    offset: usize,
    #[comptime] vectors: usize,
) {
    let mut sums = Shared::<[Vector<f32, N>]>::new_slice(UNITS);
    sums[UNIT_POS as usize] = sum;
    sync_cube();
    let column = UNIT_POS as usize;
    if column < vectors {
        let mut total = sums[column];
        for group in 1..comptime!(UNITS / vectors) {
            total += sums[group * vectors + column];
        }
        values[offset + column] = Vector::cast_from(total * Vector::new(factor));
    }
}
