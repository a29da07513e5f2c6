//! The token ids of a dataset in one buffer, with two bytes per id if the vocabulary is small enough.

use crate::{EncodedPair, Limit, Padding, TokenBatch};

/// The token ids of all texts or text pairs of a dataset, with `[CLS]` and `[SEP]`, in their order.
///
/// [`Tokenizer::encode_all`](crate::Tokenizer::encode_all) and [`encode_all_pairs`](crate::Tokenizer::encode_all_pairs)
/// return it. A pair counts as one text. An id takes two bytes for vocabularies of up to 65,536 tokens, else four.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedTexts {
    ids: Ids,
    /// End offset of each text in `ids`.
    ends: Vec<usize>,
    full_lengths: Vec<usize>,
    /// Number of ids of `[CLS] A [SEP]` of each pair; `None` for single texts.
    first_segment_lengths: Option<Vec<usize>>,
    limit: Limit,
    pad_id: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ids {
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl EncodedTexts {
    /// Returns an empty buffer for ids below `vocab_size`.
    pub(crate) fn new(limit: Limit, vocab_size: usize, pad_id: u32) -> Self {
        let two_bytes_are_enough = vocab_size <= usize::from(u16::MAX) + 1;
        let ids = if two_bytes_are_enough { Ids::U16(Vec::new()) } else { Ids::U32(Vec::new()) };
        Self { ids, ends: Vec::new(), full_lengths: Vec::new(), first_segment_lengths: None, limit, pad_id }
    }

    /// Makes an empty buffer one of pairs.
    pub(crate) fn of_pairs(self) -> Self {
        Self { first_segment_lengths: Some(Vec::new()), ..self }
    }

    /// Appends a text. `full_length` is its number of ids before truncation.
    pub(crate) fn push(&mut self, ids: &[u32], full_length: usize) {
        match &mut self.ids {
            Ids::U16(all) => all.extend(ids.iter().map(|id| *id as u16)),
            Ids::U32(all) => all.extend(ids),
        }
        self.ends.push(self.num_tokens() + ids.len());
        self.full_lengths.push(full_length);
    }

    /// Appends a pair to a buffer of pairs.
    pub(crate) fn push_pair(&mut self, pair: &EncodedPair) {
        self.push(&pair.ids, pair.full_length);
        self.first_segment_lengths.as_mut().expect("a buffer of pairs").push(pair.first_segment_length);
    }

    /// Appends the texts of another part of the same dataset.
    pub(crate) fn append(&mut self, part: &Self) {
        let start = self.num_tokens();
        match (&mut self.ids, &part.ids) {
            (Ids::U16(all), Ids::U16(ids)) => all.extend(ids),
            (Ids::U32(all), Ids::U32(ids)) => all.extend(ids),
            _ => unreachable!("parts share their vocabulary"),
        }
        self.ends.extend(part.ends.iter().map(|end| start + end));
        self.full_lengths.extend(&part.full_lengths);
        if let (Some(all), Some(lengths)) = (&mut self.first_segment_lengths, &part.first_segment_lengths) {
            all.extend(lengths);
        }
    }

    /// Returns the number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns true if there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the number of tokens of all texts, after truncation.
    pub fn num_tokens(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Returns a copy of the ids of one text.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    pub fn ids(&self, row: usize) -> Vec<u32> {
        let mut ids = Vec::with_capacity(self.length(row));
        self.extend_with(row, &mut ids);
        ids
    }

    /// Returns the number of different ids in all texts, after truncation.
    pub fn num_distinct_ids(&self) -> usize {
        let distinct = |ids: &mut dyn Iterator<Item = u32>| {
            let mut found = Vec::<bool>::new();
            for id in ids.map(|id| id as usize) {
                found.resize(found.len().max(id + 1), false);
                found[id] = true;
            }
            found.into_iter().filter(|found| *found).count()
        };
        match &self.ids {
            Ids::U16(ids) => distinct(&mut ids.iter().map(|&id| id.into())),
            Ids::U32(ids) => distinct(&mut ids.iter().copied()),
        }
    }

    /// Returns the number of ids of one text, after truncation.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    pub fn length(&self, row: usize) -> usize {
        self.ends[row] - self.start(row)
    }

    /// Returns the number of ids of each text, after truncation. The batch samplers need these lengths.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.len()).map(|row| self.length(row)).collect()
    }

    /// Returns the padded length of each text in a batch of texts of the same length. The samplers of padded batches
    /// need these lengths.
    ///
    /// # Panics
    ///
    /// Panics if `padding` is a multiple of 0.
    pub fn padded_lengths(&self, padding: Padding) -> Vec<usize> {
        let padded = |length| padding.padded_to(&[length], self.limit.max_length()).unwrap_or(length);
        self.lengths().into_iter().map(padded).collect()
    }

    /// Returns the number of ids of each text before truncation, with special tokens.
    pub fn full_lengths(&self) -> &[usize] {
        &self.full_lengths
    }

    /// Returns true if the texts are pairs.
    pub fn are_pairs(&self) -> bool {
        self.first_segment_lengths.is_some()
    }

    /// Returns the number of ids of `[CLS] A [SEP]` of a pair, after truncation; `None` for single texts.
    ///
    /// # Panics
    ///
    /// Panics if the row does not exist.
    pub fn first_segment_length(&self, row: usize) -> Option<usize> {
        self.first_segment_lengths.as_ref().map(|lengths| lengths[row])
    }

    /// Returns the limit of the truncation.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Builds a batch of these rows, in the order of `rows`.
    ///
    /// # Panics
    ///
    /// Panics if a row does not exist, or if `padding` is a multiple of 0.
    pub fn batch(&self, rows: &[usize], padding: Padding) -> TokenBatch {
        let lengths: Vec<_> = rows.iter().map(|row| self.length(*row)).collect();
        let padded_to = padding.padded_to(&lengths, self.limit.max_length());
        let num_ids = padded_to.map_or(lengths.iter().sum(), |length| length * rows.len());
        let mut ids = Vec::with_capacity(num_ids);
        for (index, row) in rows.iter().enumerate() {
            self.extend_with(*row, &mut ids);
            if let Some(length) = padded_to {
                ids.resize((index + 1) * length, self.pad_id);
            }
        }
        let first_segment_lengths =
            self.first_segment_lengths.as_ref().map(|all| rows.iter().map(|row| all[*row]).collect());
        TokenBatch { ids, lengths, first_segment_lengths, rows: rows.to_vec(), padded_to }
    }

    fn extend_with(&self, row: usize, ids: &mut Vec<u32>) {
        let range = self.start(row)..self.ends[row];
        match &self.ids {
            Ids::U16(all) => ids.extend(all[range].iter().map(|id| u32::from(*id))),
            Ids::U32(all) => ids.extend(&all[range]),
        }
    }

    fn start(&self, row: usize) -> usize {
        if row == 0 { 0 } else { self.ends[row - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Truncation;

    #[test]
    fn ids_have_two_bytes_for_up_to_65536_tokens_and_four_above() {
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
