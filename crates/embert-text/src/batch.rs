//! One batch of token ids, packed without padding or padded to one length, and the way back to input order.

/// What is put behind sequences that are shorter than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Nothing: sequences follow one another.
    Packed,
    /// `[PAD]` up to the longest of the batch.
    Longest,
    /// `[PAD]` up to the longest of the batch, rounded up to a multiple: few different shapes.
    MultipleOf(usize),
    /// `[PAD]` up to the data set's `max_length`: one shape.
    MaxLength,
}

impl Padding {
    /// The tokens that each sequence of such lengths takes, `None` if packed.
    ///
    /// # Panics
    ///
    /// Panics at a multiple of 0.
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

/// The ids of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    /// The ids of all sequences, one after another: `[num_tokens]` if packed, else
    /// `[batch_size * padded_to]`.
    pub ids: Vec<u32>,
    /// The tokens of each sequence, padding not counted: `[batch_size]`.
    pub lengths: Vec<usize>,
    /// Which row of the data set each sequence is: `[batch_size]`.
    pub rows: Vec<usize>,
    /// The tokens that each sequence takes in `ids`, `None` if packed.
    pub padded_to: Option<usize>,
}

impl TokenBatch {
    /// The number of sequences.
    pub fn batch_size(&self) -> usize {
        self.rows.len()
    }

    /// The number of tokens, padding not counted.
    pub fn num_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }
}

/// Puts results, each with the row that it belongs to, into the order of the rows.
///
/// # Panics
///
/// Panics unless the rows are `0..n`, each once, in whatever order.
pub fn in_row_order<T>(results: impl IntoIterator<Item = (usize, T)>) -> Vec<T> {
    let mut results: Vec<_> = results.into_iter().collect();
    results.sort_by_key(|(row, _)| *row);
    let complete = results.iter().enumerate().all(|(place, (row, _))| place == *row);
    assert!(complete, "every row must have one result");
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_length_is_the_longest_its_multiple_or_the_limit() {
        let padded_to = |padding: Padding| padding.padded_to(&[5, 65, 2], 512);
        assert_eq!(padded_to(Padding::Packed), None);
        assert_eq!(padded_to(Padding::Longest), Some(65));
        assert_eq!(padded_to(Padding::MultipleOf(64)), Some(128));
        assert_eq!(padded_to(Padding::MultipleOf(65)), Some(65));
        assert_eq!(padded_to(Padding::MaxLength), Some(512));
    }

    #[test]
    #[should_panic(expected = "every row must have one result")]
    fn a_row_without_a_result_is_a_bug() {
        in_row_order([(0, 'a'), (2, 'c')]);
    }

    #[test]
    #[should_panic(expected = "every row must have one result")]
    fn a_row_with_two_results_is_a_bug() {
        in_row_order([(0, 'a'), (0, 'b')]);
    }
}
