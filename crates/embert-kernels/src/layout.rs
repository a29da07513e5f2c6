//! Where each sequence begins and ends in the flat `[num_tokens, hidden]` rows of a batch.

/// The layout of a batch, one sequence after another.
///
/// Attention is the only computation that needs it. `padded_to: None` means that no padding exists anywhere;
/// `padded_to: Some(n)` gives every sequence `n` rows, of which those past its length are padding and are
/// masked, so that few different shapes occur (what GPUs like).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceLayout {
    /// Tokens of each sequence, padding not counted.
    pub lengths: Vec<usize>,
    /// Rows that every sequence takes, where sequences are padded.
    pub padded_to: Option<usize>,
}

impl SequenceLayout {
    /// Sequences one after another with nothing between them.
    pub fn packed(lengths: Vec<usize>) -> Self {
        Self { lengths, padded_to: None }
    }

    /// Every sequence given `rows` rows.
    ///
    /// # Panics
    /// If a sequence is longer than `rows`.
    pub fn padded(lengths: Vec<usize>, rows: usize) -> Self {
        assert!(lengths.iter().all(|&length| length <= rows), "a sequence is longer than {rows} rows");
        Self { lengths, padded_to: Some(rows) }
    }

    /// The layout of one row for each sequence: its first token.
    pub fn first_tokens(&self) -> Self {
        Self::packed(vec![1; self.batch_size()])
    }

    /// The number of sequences.
    pub fn batch_size(&self) -> usize {
        self.lengths.len()
    }

    /// The number of rows of the hidden states, padding included.
    pub fn num_tokens(&self) -> usize {
        self.rows().sum()
    }

    /// Tokens of the longest sequence.
    pub fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    /// Rows that each sequence takes.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.lengths.iter().map(|&length| self.padded_to.unwrap_or(length))
    }

    /// The row of each sequence's first token.
    pub fn starts(&self) -> Vec<usize> {
        let mut next = 0;
        self.rows()
            .map(|rows| {
                let start = next;
                next += rows;
                start
            })
            .collect()
    }

    /// The position of each row in its sequence: 0, 1, 2, ... from every start; 0 for padding, of which there may be more
    /// than a model has positions.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        let sequences = self.lengths.iter().zip(self.rows());
        sequences.flat_map(|(&length, rows)| (0..rows).map(move |row| if row < length { row } else { 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rows_are_the_tokens() {
        let layout = SequenceLayout::packed(vec![2, 3, 1]);
        assert_eq!(layout.num_tokens(), 6);
        assert_eq!(layout.starts(), [0, 2, 5]);
        assert_eq!(layout.positions().collect::<Vec<_>>(), [0, 1, 0, 1, 2, 0]);
    }

    #[test]
    fn padded_rows_are_the_same_for_all() {
        let layout = SequenceLayout::padded(vec![2, 3, 1], 4);
        assert_eq!(layout.num_tokens(), 12);
        assert_eq!(layout.starts(), [0, 4, 8]);
        assert_eq!(layout.positions().collect::<Vec<_>>(), [0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0]);
    }
}
