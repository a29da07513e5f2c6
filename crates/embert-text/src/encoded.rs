//! The ids of a data set, one after another in one buffer, two bytes each where the vocabulary allows.

use crate::{Limit, Padding, TokenBatch};

/// What [`Tokenizer::encode_all`](crate::Tokenizer::encode_all) returns: every text's ids,
/// `[CLS]` and `[SEP]` included, in the order of the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedTexts {
    ids: Ids,
    /// Where each text's ids end; the first text's begin at 0.
    ends: Vec<usize>,
    full_lengths: Vec<usize>,
    limit: Limit,
    pad_id: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ids {
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl EncodedTexts {
    /// No texts yet, for ids below `vocab_size`.
    pub(crate) fn new(limit: Limit, vocab_size: usize, pad_id: u32) -> Self {
        let two_bytes_are_enough = vocab_size <= usize::from(u16::MAX) + 1;
        let ids = if two_bytes_are_enough { Ids::U16(Vec::new()) } else { Ids::U32(Vec::new()) };
        Self { ids, ends: Vec::new(), full_lengths: Vec::new(), limit, pad_id }
    }

    /// Adds a text's ids, and how many there were before truncation.
    pub(crate) fn push(&mut self, ids: &[u32], full_length: usize) {
        match &mut self.ids {
            Ids::U16(all) => all.extend(ids.iter().map(|id| *id as u16)),
            Ids::U32(all) => all.extend(ids),
        }
        self.ends.push(self.num_tokens() + ids.len());
        self.full_lengths.push(full_length);
    }

    /// Adds the texts of another part of the same data set.
    pub(crate) fn append(&mut self, part: &Self) {
        let begin = self.num_tokens();
        match (&mut self.ids, &part.ids) {
            (Ids::U16(all), Ids::U16(ids)) => all.extend(ids),
            (Ids::U32(all), Ids::U32(ids)) => all.extend(ids),
            _ => unreachable!("parts share their vocabulary"),
        }
        self.ends.extend(part.ends.iter().map(|end| begin + end));
        self.full_lengths.extend(&part.full_lengths);
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The number of tokens of all texts, after truncation.
    pub fn num_tokens(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The ids of one text; copies them.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    pub fn ids(&self, row: usize) -> Vec<u32> {
        let mut ids = Vec::with_capacity(self.length(row));
        self.extend_with(row, &mut ids);
        ids
    }

    /// The number of ids of one text, after truncation.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    pub fn length(&self, row: usize) -> usize {
        self.ends[row] - self.begin(row)
    }

    /// The number of ids of every text, after truncation: what batches are planned with.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.len()).map(|row| self.length(row)).collect()
    }

    /// The number of ids that every text has in a batch of texts as long: what batches are planned with where they are padded.
    ///
    /// # Panics
    ///
    /// Panics if padding to a multiple of 0.
    pub fn padded_lengths(&self, padding: Padding) -> Vec<usize> {
        let padded = |length| padding.padded_to(&[length], self.limit.max_length()).unwrap_or(length);
        self.lengths().into_iter().map(padded).collect()
    }

    /// The number of ids that every text would have without truncation, special tokens included.
    pub fn full_lengths(&self) -> &[usize] {
        &self.full_lengths
    }

    /// The limit that the texts were truncated to.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Puts the texts of these rows into one batch, in the order of `rows`.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row, or if padding to a multiple of 0.
    pub fn batch(&self, rows: &[usize], padding: Padding) -> TokenBatch {
        let lengths: Vec<_> = rows.iter().map(|row| self.length(*row)).collect();
        let padded_to = padding.padded_to(&lengths, self.limit.max_length());
        let num_ids = padded_to.map_or(lengths.iter().sum(), |length| length * rows.len());
        let mut ids = Vec::with_capacity(num_ids);
        for (place, row) in rows.iter().enumerate() {
            self.extend_with(*row, &mut ids);
            if let Some(length) = padded_to {
                ids.resize((place + 1) * length, self.pad_id);
            }
        }
        TokenBatch { ids, lengths, rows: rows.to_vec(), padded_to }
    }

    fn extend_with(&self, row: usize, ids: &mut Vec<u32>) {
        let range = self.begin(row)..self.ends[row];
        match &self.ids {
            Ids::U16(all) => ids.extend(all[range].iter().map(|id| u32::from(*id))),
            Ids::U32(all) => ids.extend(&all[range]),
        }
    }

    fn begin(&self, row: usize) -> usize {
        if row == 0 { 0 } else { self.ends[row - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Truncation;

    #[test]
    fn ids_take_two_bytes_up_to_65536_tokens_and_keep_their_value_beyond() {
        let limit = Limit::new(8, Truncation::Right, 8).unwrap();
        let small = EncodedTexts::new(limit, 65_536, 0);
        let large = EncodedTexts::new(limit, 65_537, 0);
        assert!(matches!(small.ids, Ids::U16(_)) && matches!(large.ids, Ids::U32(_)));
        for mut encoded in [small, large.clone()] {
            encoded.push(&[2, 65_535, 3], 3);
            encoded.append(&encoded.clone());
            assert_eq!((encoded.len(), encoded.num_tokens()), (2, 6));
            assert_eq!(encoded.ids(1), [2, 65_535, 3]);
        }
        let mut encoded = large;
        encoded.push(&[2, 65_536, 3], 9);
        assert_eq!(
            (encoded.ids(0), encoded.length(0), encoded.full_lengths()),
            (vec![2, 65_536, 3], 3, &[9][..])
        );
    }
}
