//! The position of each sequence in the flat `[num_tokens, hidden]` rows of a batch.

/// The layout of a batch of sequences in a tensor of shape `[num_tokens, hidden]`.
///
/// With `padded_to: None` the batch is packed: the sequences follow each other without padding. With
/// `padded_to: Some(n)` each sequence takes `n` rows. The rows after its length are padding, which attention
/// masks. Padding keeps the number of different shapes small, which suits GPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceLayout {
    /// The number of tokens in each sequence, without padding.
    pub lengths: Vec<usize>,
    /// The number of rows of each sequence, at least every length. `None` for a packed batch.
    pub padded_to: Option<usize>,
    /// The number of tokens of type 0 at the start of each sequence; its other tokens have type 1. `None` if all tokens
    /// have type 0. For pairs, it is the length of `[CLS] A [SEP]`.
    pub first_segment_lengths: Option<Vec<usize>>,
}

impl SequenceLayout {
    /// Returns a layout without padding.
    pub fn packed(lengths: Vec<usize>) -> Self {
        Self { lengths, padded_to: None, first_segment_lengths: None }
    }

    /// Returns a layout that pads each sequence to `rows` rows.
    ///
    /// # Panics
    /// If a sequence is longer than `rows`.
    pub fn padded(lengths: Vec<usize>, rows: usize) -> Self {
        assert!(lengths.iter().all(|&length| length <= rows), "a sequence is longer than {rows} rows");
        Self { lengths, padded_to: Some(rows), first_segment_lengths: None }
    }

    /// Returns the layout with token types: 0 for the first tokens of each sequence, 1 for the others.
    ///
    /// # Panics
    /// If there is not one length for each sequence, or it is more than the length of the sequence.
    pub fn with_first_segments(self, first_segment_lengths: Vec<usize>) -> Self {
        assert_eq!(
            first_segment_lengths.len(),
            self.batch_size(),
            "each sequence must have one first segment"
        );
        let fits = first_segment_lengths.iter().zip(&self.lengths).all(|(first, length)| first <= length);
        assert!(fits, "a first segment is longer than its sequence");
        Self { first_segment_lengths: Some(first_segment_lengths), ..self }
    }

    /// Returns the layout of the sequences' first tokens: one row for each sequence.
    pub fn first_tokens(&self) -> Self {
        Self::packed(vec![1; self.batch_size()])
    }

    /// Returns the layout in which each row is a sequence of its own, with its token type.
    pub(crate) fn single_tokens(&self) -> Self {
        let rows = Self::packed(vec![1; self.num_tokens()]);
        match self.token_types() {
            Some(types) => rows.with_first_segments(types.map(|token_type| 1 - token_type).collect()),
            None => rows,
        }
    }

    /// Returns the number of sequences.
    pub fn batch_size(&self) -> usize {
        self.lengths.len()
    }

    /// Returns the number of rows of the hidden states, with padding.
    pub fn num_tokens(&self) -> usize {
        self.rows().sum()
    }

    /// Returns the length of the longest sequence; 0 for an empty batch.
    pub fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    /// Returns the number of rows of each sequence, with padding.
    ///
    /// # Panics
    /// If a sequence is longer than `padded_to`: two sequences would share rows.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        let rows_of = |&length: &usize| match self.padded_to {
            Some(rows) => {
                assert!(length <= rows, "a sequence has {length} tokens, but only {rows} rows");
                rows
            }
            None => length,
        };
        self.lengths.iter().map(rows_of)
    }

    /// Returns the row of each sequence's first token.
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

    /// Returns the position of each row in its sequence: 0, 1, 2, ... for tokens and 0 for padding.
    ///
    /// Padding has position 0 because a sequence may have more rows than the model has positions.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        let sequences = self.lengths.iter().zip(self.rows());
        sequences.flat_map(|(&length, rows)| (0..rows).map(move |row| if row < length { row } else { 0 }))
    }

    /// Returns the type of each row, 0 or 1; `None` if all rows have type 0. Padding has type 0.
    ///
    /// # Panics
    /// If there is not one first segment for each sequence.
    pub fn token_types(&self) -> Option<impl Iterator<Item = usize> + '_> {
        let first_segment_lengths = self.first_segment_lengths.as_ref()?;
        assert_eq!(
            first_segment_lengths.len(),
            self.batch_size(),
            "each sequence must have one first segment"
        );
        let sequences = self.lengths.iter().zip(first_segment_lengths).zip(self.rows());
        Some(sequences.flat_map(|((&length, &first), rows)| {
            (0..rows).map(move |row| usize::from((first..length).contains(&row)))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_layout_has_one_row_per_token() {
        let layout = SequenceLayout::packed(vec![2, 3, 1]);
        assert_eq!(layout.num_tokens(), 6);
        assert_eq!(layout.starts(), [0, 2, 5]);
        assert_eq!(layout.positions().collect::<Vec<_>>(), [0, 1, 0, 1, 2, 0]);
    }

    #[test]
    fn a_padded_layout_gives_each_sequence_the_same_rows() {
        let layout = SequenceLayout::padded(vec![2, 3, 1], 4);
        assert_eq!(layout.num_tokens(), 12);
        assert_eq!(layout.starts(), [0, 4, 8]);
        assert_eq!(layout.positions().collect::<Vec<_>>(), [0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn tokens_after_the_first_segment_have_type_1_and_padding_has_type_0() {
        let types = |layout: SequenceLayout| {
            layout.with_first_segments(vec![1, 3, 0]).token_types().unwrap().collect::<Vec<_>>()
        };
        assert_eq!(types(SequenceLayout::packed(vec![2, 3, 1])), [0, 1, 0, 0, 0, 1]);
        assert_eq!(types(SequenceLayout::padded(vec![2, 3, 1], 4)), [0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        let single = SequenceLayout::packed(vec![2, 3, 1]);
        assert!(single.token_types().is_none());
        assert!(single.with_first_segments(vec![1, 1, 1]).first_tokens().token_types().is_none());
    }

    #[test]
    #[should_panic(expected = "a first segment is longer than its sequence")]
    fn a_first_segment_longer_than_its_sequence_is_refused() {
        let _ = SequenceLayout::packed(vec![2, 3]).with_first_segments(vec![2, 4]);
    }

    #[test]
    #[should_panic(expected = "each sequence must have one first segment")]
    fn a_sequence_without_a_first_segment_is_refused() {
        let _ = SequenceLayout::packed(vec![2, 3]).with_first_segments(vec![2]);
    }

    #[test]
    #[should_panic(expected = "a sequence has 3 tokens, but only 2 rows")]
    fn sequences_that_share_rows_are_refused() {
        SequenceLayout { padded_to: Some(2), ..SequenceLayout::packed(vec![3, 1]) }.num_tokens();
    }
}
