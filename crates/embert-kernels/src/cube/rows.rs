//! The sequence and the position of a row of the hidden states.

use cubecl::prelude::*;

use crate::layout::SequenceLayout;

/// The number of values of a sequence. The first one is its first row.
pub(crate) const VALUES_PER_SEQUENCE: usize = 3;

/// Returns the number of rows of every sequence, 0 in a packed batch.
pub(crate) fn rows_per_sequence(layout: &SequenceLayout) -> usize {
    layout.padded_to.unwrap_or(0)
}

/// Returns the sequence of a row: ⌊row / rows⌋ in a padded batch, otherwise the last sequence that does not
/// start after the row.
#[cube]
pub(crate) fn sequence_of_row(
    sequences: &[u32], // [batch, 3]
    num_sequences: usize,
    rows_per_sequence: usize,
    row: usize,
) -> usize {
    let mut sequence = 0usize;
    if rows_per_sequence != 0 {
        sequence = row / max(rows_per_sequence, 1usize);
    } else {
        let mut end = num_sequences;
        while end > sequence + 1 {
            let middle = (sequence + end) / 2;
            if sequences[middle * VALUES_PER_SEQUENCE] as usize <= row {
                sequence = middle;
            } else {
                end = middle;
            }
        }
    }
    sequence
}
