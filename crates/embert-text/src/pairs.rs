//! Sentence pairs: `[CLS] A [SEP] B [SEP]`, with token type 0 for `[CLS] A [SEP]` and 1 for `B [SEP]`.
//!
//! Other families have other special tokens and types: RoBERTa's pairs are `<s> A </s></s> B </s>`, all of type 0. All
//! tokens have type 0, too, if `model_input_names` of tokenizer_config.json lack `token_type_ids`.

use rayon::prelude::*;

use crate::special_token_template::PairTemplate;
use crate::tokenizer::TEXTS_PER_TASK;
use crate::{EncodedTexts, Limit, Result, TextError, Tokenizer};

/// The token ids of a pair of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPair {
    /// The ids of `[CLS] A [SEP] B [SEP]`, or `<s> A </s></s> B </s>`.
    pub ids: Vec<u32>,
    /// The number of ids with token type 0: those of `[CLS] A [SEP]`, or all ids if the tokenizer has one type.
    pub first_segment_length: usize,
    /// The number of ids before truncation, with the special tokens.
    pub full_length: usize,
}

impl EncodedPair {
    /// Returns the type of each token, as the tokenizer's post-processor: 0 in `[CLS] A [SEP]`, 1 in `B [SEP]`.
    pub fn token_type_ids(&self) -> Vec<u32> {
        (0..self.ids.len()).map(|index| u32::from(index >= self.first_segment_length)).collect()
    }
}

impl Tokenizer {
    /// Encodes a pair of texts with the special tokens of the tokenizer: `[CLS] A [SEP] B [SEP]` or
    /// `<s> A </s></s> B </s>`; at most `limit.max_length()` ids.
    ///
    /// An empty second text makes a pair, as in a batch of transformers. (A single call of transformers with
    /// `text_pair=""` encodes a single text.)
    ///
    /// # Errors
    ///
    /// [`TextError::UnsupportedPairs`] if the `tokenizer.json` encodes pairs in another way;
    /// [`TextError::MaxLengthTooSmallForPairs`] and [`TextError::HeadTailOfPairs`] if `limit` is not for pairs;
    /// [`TextError::PairTooLong`], with row 0, if `limit` truncates only the text that would
    /// lose all its tokens.
    pub fn encode_pair(&self, text: &str, text_pair: &str, limit: Limit) -> Result<EncodedPair> {
        self.encode_row([text, text_pair], self.pair_template(limit)?, limit, 0)
    }

    /// Encodes all pairs in parallel: `texts[row]` with `text_pairs[row]`. The result does not depend on the number of
    /// threads.
    ///
    /// Calls `on_progress`, on any thread, with the number of pairs since the last call. Without an error, the sum of
    /// these numbers is `texts.len()`.
    ///
    /// # Errors
    ///
    /// The errors of [`encode_pair`](Self::encode_pair); [`TextError::PairCount`] if the numbers of texts differ; [`TextError::PairTooLong`], with
    /// the first row for which `limit` truncates only the text that would lose all its tokens.
    pub fn encode_all_pairs<A: AsRef<str> + Sync, B: AsRef<str> + Sync>(
        &self,
        texts: &[A],
        text_pairs: &[B],
        limit: Limit,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<EncodedTexts> {
        let template = self.pair_template(limit)?;
        if texts.len() != text_pairs.len() {
            return Err(TextError::PairCount { texts: texts.len(), text_pairs: text_pairs.len() });
        }
        let encode_some = |(task, (texts, text_pairs)): (usize, (&[A], &[B]))| {
            let mut encoded = self.empty_texts(limit).of_pairs();
            for (row, (text, text_pair)) in (task * TEXTS_PER_TASK..).zip(texts.iter().zip(text_pairs)) {
                let pair = [text.as_ref(), text_pair.as_ref()];
                encoded.push_pair(&self.encode_row(pair, template, limit, row)?);
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

    /// Returns the special tokens of pairs. Checks that the limit is valid for pairs.
    fn pair_template(&self, limit: Limit) -> Result<&PairTemplate> {
        let unsupported = |reason: &String| TextError::UnsupportedPairs { reason: reason.clone() };
        let template = self.template.pair.as_ref().map_err(unsupported)?;
        limit.check_pairs(template.num_special_tokens())?;
        Ok(template)
    }

    /// Encodes the pair of a row. `limit` must be valid for pairs.
    fn encode_row(
        &self,
        pair: [&str; 2],
        template: &PairTemplate,
        limit: Limit,
        row: usize,
    ) -> Result<EncodedPair> {
        let [first, second] = pair.map(|text| self.encode_content(text));
        let num_special_tokens = template.num_special_tokens();
        let Some(kept) = limit.keep_pair([&first, &second], num_special_tokens) else {
            return Err(TextError::PairTooLong {
                row,
                strategy: limit.strategy(),
                lengths: [first.len(), second.len()],
                max_length: limit.max_length(),
                num_special_tokens,
            });
        };
        let (ids, first_segment_length) = template.apply(kept);
        let full_length = first.len() + second.len() + num_special_tokens;
        Ok(EncodedPair { ids, first_segment_length, full_length })
    }
}
