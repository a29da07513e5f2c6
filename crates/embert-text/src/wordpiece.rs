//! WordPiece encoding: greedy longest match first, with a fast path for ASCII words.
//!
//! The `tokenizers` crate tracks the offset of each character. Without offsets, the same ids take a tenth of the time.
//! It also looks up the complete rest of a word before any shorter piece, which takes seconds for a megabyte of long
//! words; here, the longest piece of the vocabulary limits the lookup.

use std::collections::HashMap;

use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{
    Model, ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential,
    PreTokenizedString, PreTokenizer,
};

/// ASCII whitespace, which separates words before any other step.
pub(crate) const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Minimum number of bytes between two splits of a text.
const MIN_SPLIT_BYTES: usize = 4096;

/// Encodes words with a WordPiece vocabulary.
#[derive(Debug, Clone)]
pub(crate) struct WordPieceEncoder {
    /// Pieces at the start of a word.
    first_pieces: HashMap<String, u32>,
    /// Pieces inside a word, without their `##`.
    inner_pieces: HashMap<String, u32>,
    unk_id: u32,
    normalizer: BertNormalizer,
    /// True if a text can be split before Chinese characters: each is a word, and no added token contains one.
    splits_before_chinese: bool,
    max_word_len: usize,
    /// The length of the longest piece in bytes.
    max_piece_len: usize,
    /// First bytes of added tokens such as `[CLS]`, which are matched before words.
    reserved: Vec<u8>,
    added_tokens: Vec<String>,
}

impl WordPieceEncoder {
    /// Returns `None` if the tokenizer is not WordPiece, or has added tokens that can match across words or in
    /// normalized text.
    ///
    /// The flags `lstrip` and `rstrip` have no effect: they select spaces, which WordPiece ignores. `single_word` does
    /// not look beyond a space.
    pub(crate) fn new(tokenizer: &tokenizers::Tokenizer) -> Option<Self> {
        let (ModelWrapper::WordPiece(model), Some(NormalizerWrapper::BertNormalizer(normalizer))) =
            (tokenizer.get_model(), tokenizer.get_normalizer())
        else {
            return None;
        };
        let added = tokenizer.get_added_tokens_decoder();
        let match_within_words =
            added.values().all(|token| !token.normalized && !token.content.contains(char::is_whitespace));
        let vocabulary = model.get_vocab();
        let unk_id = *vocabulary.get(&model.unk_token)?;
        let inner_piece =
            |token: &str| token.strip_prefix(&model.continuing_subword_prefix).map(str::to_owned);
        match_within_words.then(|| Self {
            inner_pieces: vocabulary
                .iter()
                .filter_map(|(token, id)| Some((inner_piece(token)?, *id)))
                .collect(),
            max_piece_len: vocabulary.keys().map(String::len).max().unwrap_or(0),
            first_pieces: vocabulary,
            unk_id,
            normalizer: *normalizer,
            splits_before_chinese: normalizer.handle_chinese_chars
                && added.values().all(|token| token.content.is_ascii()),
            max_word_len: model.max_input_chars_per_word,
            added_tokens: added.values().map(|token| token.content.clone()).collect(),
            reserved: added.values().filter_map(|token| token.content.bytes().next()).collect(),
        })
    }

    /// Appends the ids of a text without [`WHITESPACE`].
    ///
    /// Returns false, without ids, if the text has other characters than ASCII letters, digits and punctuation, or a
    /// character that an added token starts with.
    pub(crate) fn encode_ascii(&self, text: &str, ids: &mut Vec<u32>) -> bool {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !self.reserved.contains(&byte)) {
            return false;
        }
        let lowered = if self.normalizer.lowercase { &text.to_ascii_lowercase() } else { text };
        for part in lowered.split_inclusive(|letter: char| letter.is_ascii_punctuation()) {
            let (word, punctuation) = part.split_at(part.len() - ends_in_punctuation(part));
            for word in [word, punctuation].into_iter().filter(|word| !word.is_empty()) {
                self.encode_word(word, ids);
            }
        }
        true
    }

    /// Appends the ids of any text. Returns false, without ids, if the text contains an added token such as `[CLS]`.
    pub(crate) fn encode_unicode(&self, text: &str, ids: &mut Vec<u32>) -> bool {
        if self.added_tokens.iter().any(|token| text.contains(token.as_str())) {
            return false;
        }
        self.split(text).into_iter().for_each(|part| self.encode_part(part, ids));
        true
    }

    /// Splits a text into parts that can be encoded independently.
    ///
    /// Chinese has no spaces, and the tokenizers crate needs many bytes of memory per byte of text to normalize.
    fn split<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let (mut parts, mut rest) = (vec![], text);
        let next_split = |rest: &str| {
            let mut characters = rest.char_indices().skip_while(|(at, _)| *at < MIN_SPLIT_BYTES);
            characters.find(|(_, letter)| ('\u{4e00}'..='\u{9fff}').contains(letter)).map(|(at, _)| at)
        };
        while let Some(at) = next_split(rest).filter(|_| self.splits_before_chinese) {
            let (part, after) = rest.split_at(at);
            parts.push(part);
            rest = after;
        }
        parts.push(rest);
        parts
    }

    fn encode_part(&self, part: &str, ids: &mut Vec<u32>) {
        let mut normalized = NormalizedString::from(part);
        self.normalizer.normalize(&mut normalized).expect("BERT's normalizer accepts every text");
        let mut split = PreTokenizedString::from(normalized);
        BertPreTokenizer.pre_tokenize(&mut split).expect("BERT's pre-tokenizer accepts every text");
        for (word, ..) in split.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
            self.encode_word(word, ids);
        }
    }

    /// Appends the ids of the pieces of a word, or `[UNK]` if the pieces do not cover it.
    fn encode_word(&self, word: &str, ids: &mut Vec<u32>) {
        let before = ids.len();
        let is_short = word.len() <= self.max_word_len || word.chars().nth(self.max_word_len).is_none();
        let mut rest = if is_short { word } else { "" };
        let mut pieces = &self.first_pieces;
        while let Some((id, len)) = longest_piece(rest, pieces, self.max_piece_len) {
            ids.push(id);
            rest = &rest[len..];
            pieces = &self.inner_pieces;
        }
        if !rest.is_empty() || !is_short {
            ids.truncate(before);
            ids.push(self.unk_id);
        }
    }
}

fn ends_in_punctuation(part: &str) -> usize {
    usize::from(part.ends_with(|letter: char| letter.is_ascii_punctuation()))
}

fn longest_piece(rest: &str, pieces: &HashMap<String, u32>, longest: usize) -> Option<(u32, usize)> {
    let lengths = (1..=rest.len().min(longest)).rev();
    lengths.filter_map(|len| rest.get(..len)).find_map(|piece| Some((*pieces.get(piece)?, piece.len())))
}
