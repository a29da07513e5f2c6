//! Tiles of rows in shared memory, rounded to the precision of the products, as pairs of neighbours.
//!
//! A tile has its rows as they are, or transposed: an operand B needs pairs along the dimension that is summed. Four
//! pairs of padding after each row put the units of a plane on different banks.

use cubecl::prelude::*;

use super::row::UNITS;

/// The number of pairs after each row of a tile.
const PADDING: usize = 4;

/// Rows of one head, from a matrix of tokens.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Rows {
    /// The place of the first row's first pair.
    pub(super) offset: usize,
    /// The distance between rows, in pairs.
    pub(super) stride: usize,
    /// The number of rows that exist. The others are 0 in a tile.
    pub(super) count: usize,
}

/// Returns the number of pairs in a tile with rows of `pairs` pairs.
pub(super) const fn size(rows: usize, pairs: usize) -> usize {
    rows * (pairs + PADDING)
}

/// Loads rows of d = 2 · `pairs` columns: `[rows, pairs]`.
#[cube]
pub(super) fn load<E: Float, T: Float, N: Size>(
    tile: &mut Shared<[Vector<T, N>]>,
    values: &[Vector<E, N>],
    from: &Rows,
    #[comptime] rows: usize,
    #[comptime] pairs: usize,
) {
    let mut i = UNIT_POS as usize;
    while i < comptime!(rows * pairs) {
        let (row, pair) = (i / pairs, i % pairs);
        let mut value = Vector::<T, N>::new(T::from_int(0));
        if row < from.count {
            value = Vector::cast_from(values[from.offset + row * from.stride + pair]);
        }
        tile[row * comptime!(pairs + PADDING) + pair] = value;
        i += UNITS;
    }
}

/// Loads rows and transposes them: `[d, rows / 2]`, pairs of neighbouring rows.
#[cube]
pub(super) fn load_transposed<E: Float, T: Float, N: Size>(
    tile: &mut Shared<[Vector<T, N>]>,
    values: &[Vector<E, N>],
    from: &Rows,
    #[comptime] rows: usize,
    #[comptime] pairs: usize,
) {
    let pitch = comptime!(rows / 2 + PADDING);
    let mut i = UNIT_POS as usize;
    while i < comptime!(rows / 2 * pairs) {
        // Eight neighbouring pairs of columns of four pairs of rows: few conflicts of banks.
        let row_pair = i % 4 + i / comptime!(4 * pairs) * 4;
        let pair = i / 4 % pairs;
        let mut upper = Vector::<T, N>::new(T::from_int(0));
        let mut lower = Vector::<T, N>::new(T::from_int(0));
        if row_pair * 2 < from.count {
            upper = Vector::cast_from(values[from.offset + row_pair * 2 * from.stride + pair]);
        }
        if row_pair * 2 + 1 < from.count {
            lower = Vector::cast_from(values[from.offset + (row_pair * 2 + 1) * from.stride + pair]);
        }
        #[unroll]
        for side in 0..2usize {
            let mut column = Vector::<T, N>::empty();
            column.insert(0usize, upper.extract(side));
            column.insert(1usize, lower.extract(side));
            tile[(pair * 2 + side) * pitch + row_pair] = column;
        }
        i += UNITS;
    }
}

/// Returns the operand B with columns `8 · tile_column ..` and the sixteen summed rows `16 · step ..` of a tile.
///
/// The tile has a row for each column of B, and `pairs` pairs for what is summed.
#[cube]
pub(super) fn operand<T: Float, N: Size>(
    tile: &Shared<[Vector<T, N>]>,
    column: usize,
    quarter: usize,
    #[comptime] tile_column: usize,
    #[comptime] step: usize,
    #[comptime] pairs: usize,
) -> Array<Vector<T, N>> {
    let place = (column + comptime!(tile_column * 8)) * comptime!(pairs + PADDING) + quarter;
    let mut b = Array::<Vector<T, N>>::new(2usize);
    b[0] = tile[place + comptime!(step * 8)];
    b[1] = tile[place + comptime!(step * 8 + 4)];
    b
}
