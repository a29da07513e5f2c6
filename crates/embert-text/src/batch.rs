//! Batches of token ids, packed or padded, and the results of batches in the order of the rows.

/// Padding of the sequences of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// No padding: all sequences are concatenated.
    Packed,
    /// Pads to the longest sequence of the batch.
    Longest,
    /// Pads to the longest sequence of the batch, rounded up to a multiple: `pad_to_multiple_of` in transformers.
    MultipleOf(usize),
    /// Pads to the `max_length` of the dataset.
    MaxLength,
}

impl Padding {
    /// Returns the padded length of sequences with these lengths; `None` if packed.
    ///
    /// # Panics
    ///
    /// Panics if the multiple is 0.
    pub(crate) fn padded_to(self, lengths: &[usize], max_length: usize) -> Option<usize> {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        match self {
            Self::Packed => None,
            Self::Longest => Some(longest),
            Self::MultipleOf(multiple) => Some(longest.div_ceil(multiple) * multiple),
            Self::MaxLength => Some(max_length),
        }
    }
}

/// The token ids of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    /// The ids of all sequences, concatenated: `[num_tokens]` if packed, else `[batch_size * padded_to]`.
    pub ids: Vec<u32>,
    /// The number of tokens of each sequence, without padding: `[batch_size]`.
    pub lengths: Vec<usize>,
    /// The number of tokens of `[CLS] A [SEP]` of each pair, `[batch_size]`; `None` for single texts.
    pub first_segment_lengths: Option<Vec<usize>>,
    /// The row of each sequence in the dataset: `[batch_size]`.
    pub rows: Vec<usize>,
    /// The padded length of each sequence; `None` if packed.
    pub padded_to: Option<usize>,
}

impl TokenBatch {
    /// Returns the number of sequences.
    pub fn batch_size(&self) -> usize {
        self.rows.len()
    }

    /// Returns the number of tokens, without padding.
    pub fn num_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }
}

/// Sorts results by their row.
///
/// # Panics
///
/// Panics unless each row of `0..n` occurs exactly once.
///
/// ```
/// assert_eq!(embert_text::in_row_order([(1, "b"), (0, "a")]), ["a", "b"]);
/// ```
pub fn in_row_order<T>(results: impl IntoIterator<Item = (usize, T)>) -> Vec<T> {
    let mut results: Vec<_> = results.into_iter().collect();
    results.sort_by_key(|(row, _)| *row);
    let is_complete = results.iter().enumerate().all(|(index, (row, _))| index == *row);
    assert!(is_complete, "every row must have one result");
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_length_is_the_longest_a_multiple_or_max_length() {
        let padded_to = |padding: Padding| padding.padded_to(&[5, 65, 2], 512);
        assert_eq!(padded_to(Padding::Packed), None);
        assert_eq!(padded_to(Padding::Longest), Some(65));
        assert_eq!(padded_to(Padding::MultipleOf(64)), Some(128));
        assert_eq!(padded_to(Padding::MultipleOf(65)), Some(65));
        assert_eq!(padded_to(Padding::MaxLength), Some(512));
    }

    #[test]
    #[should_panic(expected = "every row must have one result")]
    fn a_row_without_a_result_panics() {
        in_row_order([(0, 'a'), (2, 'c')]);
    }

    #[test]
    #[should_panic(expected = "every row must have one result")]
    fn a_row_with_two_results_panics() {
        in_row_order([(0, 'a'), (0, 'b')]);
    }
}
