//! Sentence pairs: `[CLS] A [SEP] B [SEP]`, with token type 0 for `[CLS] A [SEP]` and 1 for `B [SEP]`.

use rayon::prelude::*;

use crate::tokenizer::TEXTS_PER_TASK;
use crate::truncation::NUM_SPECIAL_TOKENS_OF_PAIR;
use crate::{EncodedTexts, Limit, Result, TextError, Tokenizer};

/// The token ids of a pair of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPair {
    /// The ids of `[CLS] A [SEP] B [SEP]`.
    pub ids: Vec<u32>,
    /// The number of ids of `[CLS] A [SEP]`.
    pub first_segment_length: usize,
    /// The number of ids before truncation, with the three special tokens.
    pub full_length: usize,
}

impl EncodedPair {
    /// Returns the type of each token, as `token_type_ids` in transformers: 0 in `[CLS] A [SEP]`, 1 in `B [SEP]`.
    pub fn token_type_ids(&self) -> Vec<u32> {
        (0..self.ids.len()).map(|index| u32::from(index >= self.first_segment_length)).collect()
    }
}

impl Tokenizer {
    /// Encodes a pair of texts: `[CLS]`, the first, `[SEP]`, the second, `[SEP]`; at most `limit.max_length()` ids.
    ///
    /// An empty second text makes a pair, as in a batch of transformers. (A single call of transformers with
    /// `text_pair=""` encodes a single text.)
    ///
    /// # Errors
    ///
    /// The errors of [`Limit::check_pairs`]; [`TextError::UnsupportedPairs`] if the `tokenizer.json` encodes pairs in
    /// another way than BERT; [`TextError::PairTooLong`], with row 0, if `limit` truncates only the text that would
    /// lose all its tokens.
    pub fn encode_pair(&self, text: &str, text_pair: &str, limit: Limit) -> Result<EncodedPair> {
        self.check_pairs(limit)?;
        self.encode_row([text, text_pair], limit, 0)
    }

    /// Encodes all pairs in parallel: `texts[row]` with `text_pairs[row]`. The result does not depend on the number of
    /// threads.
    ///
    /// Calls `on_progress`, on any thread, with the number of pairs since the last call. Without an error, the sum of
    /// these numbers is `texts.len()`.
    ///
    /// # Errors
    ///
    /// The errors of [`Limit::check_pairs`]; [`TextError::UnsupportedPairs`] if the `tokenizer.json` encodes pairs in
    /// another way than BERT; [`TextError::PairCount`] if the numbers of texts differ; [`TextError::PairTooLong`], with
    /// the first row for which `limit` truncates only the text that would lose all its tokens.
    pub fn encode_all_pairs<A: AsRef<str> + Sync, B: AsRef<str> + Sync>(
        &self,
        texts: &[A],
        text_pairs: &[B],
        limit: Limit,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<EncodedTexts> {
        self.check_pairs(limit)?;
        if texts.len() != text_pairs.len() {
            return Err(TextError::PairCount { texts: texts.len(), text_pairs: text_pairs.len() });
        }
        let encode_some = |(task, (texts, text_pairs)): (usize, (&[A], &[B]))| {
            let mut encoded = self.empty_texts(limit).of_pairs();
            for (row, (text, text_pair)) in (task * TEXTS_PER_TASK..).zip(texts.iter().zip(text_pairs)) {
                encoded.push_pair(&self.encode_row([text.as_ref(), text_pair.as_ref()], limit, row)?);
            }
            on_progress(texts.len());
            Ok(encoded)
        };
        let tasks = texts.par_chunks(TEXTS_PER_TASK).zip(text_pairs.par_chunks(TEXTS_PER_TASK));
        let parts: Vec<Result<EncodedTexts>> = tasks.enumerate().map(encode_some).collect();
        let mut encoded = self.empty_texts(limit).of_pairs();
        for part in parts {
            encoded.append(&part?);
        }
        Ok(encoded)
    }

    fn check_pairs(&self, limit: Limit) -> Result<()> {
        limit.check_pairs()?;
        match &self.unsupported_pairs {
            Some(reason) => Err(TextError::UnsupportedPairs { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Encodes the pair of a row. `limit` must be valid for pairs.
    fn encode_row(&self, pair: [&str; 2], limit: Limit, row: usize) -> Result<EncodedPair> {
        let [first, second] = pair.map(|text| self.encode_content(text));
        let lengths = [first.len(), second.len()];
        let full_length = first.len() + second.len() + NUM_SPECIAL_TOKENS_OF_PAIR;
        let Some([first, second]) = limit.keep_pair([&first, &second]) else {
            return Err(TextError::PairTooLong {
                row,
                strategy: limit.strategy(),
                lengths,
                max_length: limit.max_length(),
            });
        };
        let ids = [&[self.cls_id], first, &[self.sep_id], second, &[self.sep_id]].concat();
        Ok(EncodedPair { ids, first_segment_length: first.len() + 2, full_length })
    }
}
