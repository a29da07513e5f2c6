//! The sequences of a batch as an argument of the embedding kernels.

use std::sync::Arc;

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube::memory::upload;
use crate::cube::rows::{VALUES_PER_SEQUENCE, rows_per_sequence, sequence_of_row};
use crate::layout::SequenceLayout;

/// The sequences of a batch, on the host.
#[derive(Clone, Debug)]
pub(super) struct Sequences {
    /// The first row, the length and the length of the first segment of each sequence, `[batch, 3]`.
    values: Arc<[u32]>,
    rows_per_sequence: usize,
    /// The row of the position table of the first token of a sequence.
    first_position: usize,
    pub(super) num_rows: usize,
    /// The number of rows without padding.
    pub(super) num_tokens: usize,
}

impl Sequences {
    pub(super) fn new(layout: &SequenceLayout, first_position: usize) -> Self {
        let first_segments = layout.first_segment_lengths.as_ref().unwrap_or(&layout.lengths);
        let sequences = layout.starts().into_iter().zip(&layout.lengths).zip(first_segments);
        let values =
            sequences.flat_map(|((start, &length), &first)| [start, length, first].map(|n| n as u32));
        Self {
            values: values.collect(),
            rows_per_sequence: rows_per_sequence(layout),
            first_position,
            num_rows: layout.num_tokens(),
            num_tokens: layout.lengths.iter().sum(),
        }
    }

    /// Returns the kernel argument. It uploads three numbers for each sequence.
    pub(super) fn launch(&self, like: &CubeTensor) -> DeviceSequencesLaunch {
        let num_sequences = self.values.len() / VALUES_PER_SEQUENCE;
        let values = upload(like, &self.values).into_buffer_arg();
        DeviceSequencesLaunch::new(values, num_sequences, self.rows_per_sequence, self.first_position)
    }
}

/// The sequences of a batch, in a kernel.
#[derive(CubeType, CubeLaunch)]
pub(super) struct DeviceSequences {
    values: Box<[u32]>, // [batch, 3]
    pub(super) num_sequences: usize,
    rows_per_sequence: usize,
    pub(super) first_position: usize,
}

/// The place of a row in its sequence.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Place {
    /// The row of the position table: the first position for padding.
    pub(super) position: usize,
    /// The row of the token type table, 0 or 1: 0 for padding.
    pub(super) token_type: usize,
    pub(super) is_padding: bool,
}

#[cube]
impl DeviceSequences {
    pub(super) fn place(&self, row: usize) -> Place {
        let sequence = sequence_of_row(&self.values, self.num_sequences, self.rows_per_sequence, row);
        let position = row - self.start(sequence);
        let is_padding = position >= self.length(sequence);
        let first = self.values[sequence * VALUES_PER_SEQUENCE + 2] as usize;
        let is_second = position >= first && !is_padding;
        Place {
            position: self.first_position + select(is_padding, 0usize, position),
            token_type: select(is_second, 1usize, 0usize),
            is_padding,
        }
    }

    /// Returns the first row of a sequence.
    pub(super) fn start(&self, sequence: usize) -> usize {
        self.values[sequence * VALUES_PER_SEQUENCE] as usize
    }

    /// Returns the number of tokens of a sequence, without padding.
    pub(super) fn length(&self, sequence: usize) -> usize {
        self.values[sequence * VALUES_PER_SEQUENCE + 1] as usize
    }
}
