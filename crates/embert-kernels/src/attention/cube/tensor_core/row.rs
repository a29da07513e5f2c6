//! The two rows of a unit: of its queries, or of its keys.

use cubecl::prelude::*;

use crate::attention::cube::tile::HeadShape;
use crate::dropout::cube::MaskGenerator;

/// The number of units of a cube: four planes of 32.
pub(super) const UNITS: usize = 128;
/// The number of rows of a cube: sixteen a plane.
pub(super) const ROWS: usize = 64;

/// The rows g and g + 8 of a plane's sixteen.
#[derive(CubeType, Clone, Copy)]
pub(super) struct UnitRows {
    pub(super) head: usize,
    pub(super) num_heads: usize,
    /// The first row of the sequence in the batch.
    pub(super) start: usize,
    /// The number of tokens of the sequence.
    pub(super) length: usize,
    /// The number of rows of the sequence, with padding.
    pub(super) rows: usize,
    /// The first row in the sequence of the cube.
    pub(super) first: usize,
    /// The row g in the sequence. The other one is eight rows below.
    pub(super) position: usize,
    /// The place t of the unit among the four that share its rows.
    pub(super) quarter: usize,
    /// The column g of the unit in an operand B.
    pub(super) column: usize,
}

#[cube]
impl UnitRows {
    pub(super) fn new(sequences: &[u32]) -> UnitRows {
        let sequence = CUBE_POS_Z as usize * 3;
        let lane = UNIT_POS as usize % 32;
        let first = CUBE_POS_X as usize * ROWS;
        UnitRows {
            head: CUBE_POS_Y as usize,
            num_heads: CUBE_COUNT_Y as usize,
            start: sequences[sequence] as usize,
            length: sequences[sequence + 1] as usize,
            rows: sequences[sequence + 2] as usize,
            first,
            position: first + UNIT_POS as usize / 32 * 16 + lane / 4,
            quarter: lane % 4,
            column: lane / 4,
        }
    }

    /// Returns the position of one of the two rows in the sequence.
    pub(super) fn position(&self, #[comptime] half: usize) -> usize {
        self.position + half * 8
    }

    /// Returns the row of the batch at a position. After the last row of the sequence, returns the last one.
    pub(super) fn batch_row(&self, position: usize) -> usize {
        self.start + min(position, self.rows - 1)
    }

    /// Returns the key of the mask of a query's probabilities.
    pub(super) fn mask_key(&self, dropout: &MaskGenerator, position: usize) -> u32 {
        dropout.sequence_key(CUBE_POS_Z as usize, self.head as u32, position as u32)
    }

    /// Returns the end of the keys or queries that the rows of the cube need: 0 if all of its rows are padding.
    pub(super) fn end(&self, shape: &HeadShape) -> usize {
        select(self.first < self.length, shape.end(self.first, self.length, ROWS), 0usize)
    }
}
