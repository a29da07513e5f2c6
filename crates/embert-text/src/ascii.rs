//! WordPiece: the longest piece first, looked up in place. Words of plain ASCII, which most of English are, need nothing else.
//!
//! The `tokenizers` crate keeps, for every character, where it came from; nobody here asks, and without
//! that the same ids take a tenth of the time. It also looks up the whole rest of a word before any shorter piece, which
//! takes seconds for a megabyte of long words.

use std::collections::HashMap;

use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{
    Model, ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential,
    PreTokenizedString, PreTokenizer,
};

/// What ends a word before anything else is looked at, among the characters of plain ASCII.
pub(crate) const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Bytes of a text that is not cut.
const SHORT: usize = 4096;

/// The vocabulary, split by where in a word its pieces stand.
#[derive(Debug, Clone)]
pub(crate) struct AsciiWords {
    first_pieces: HashMap<String, u32>,
    /// Without their `##`.
    inner_pieces: HashMap<String, u32>,
    unk_id: u32,
    normalizer: BertNormalizer,
    /// Whether a text may be cut before a Chinese character: each is a word, and no added token has one.
    chinese_is_words: bool,
    max_word_len: usize,
    /// No piece is longer: what is longer need not be looked up, however long a word may be.
    max_piece_len: usize,
    /// First bytes of `[CLS]` and the like, which are found before words are.
    reserved: Vec<u8>,
    added_tokens: Vec<String>,
}

impl AsciiWords {
    /// `None` if the tokenizer has tokens that are looked for across words or in normalized text.
    pub(crate) fn new(tokenizer: &tokenizers::Tokenizer) -> Option<Self> {
        let (ModelWrapper::WordPiece(model), Some(NormalizerWrapper::BertNormalizer(normalizer))) =
            (tokenizer.get_model(), tokenizer.get_normalizer())
        else {
            return None;
        };
        let added = tokenizer.get_added_tokens_decoder();
        let plain = added.values().all(|token| {
            let reaches_beyond = token.normalized || token.lstrip || token.rstrip || token.single_word;
            !reaches_beyond && !token.content.contains(char::is_whitespace)
        });
        let vocabulary = model.get_vocab();
        let unk_id = *vocabulary.get(&model.unk_token)?;
        let inner_piece =
            |token: &str| token.strip_prefix(&model.continuing_subword_prefix).map(str::to_owned);
        plain.then(|| Self {
            inner_pieces: vocabulary
                .iter()
                .filter_map(|(token, id)| Some((inner_piece(token)?, *id)))
                .collect(),
            max_piece_len: vocabulary.keys().map(String::len).max().unwrap_or(0),
            first_pieces: vocabulary,
            unk_id,
            normalizer: *normalizer,
            chinese_is_words: normalizer.handle_chinese_chars
                && added.values().all(|token| token.content.is_ascii()),
            max_word_len: model.max_input_chars_per_word,
            added_tokens: added.values().map(|token| token.content.clone()).collect(),
            reserved: added.values().filter_map(|token| token.content.bytes().next()).collect(),
        })
    }

    /// Adds the ids of a text without [`WHITE_SPACE`]; or adds nothing and says false if it holds more
    /// than letters, digits and punctuation of ASCII.
    pub(crate) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> bool {
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

    /// Adds the ids of any text; or adds nothing and says false if it holds `[CLS]` and the like.
    pub(crate) fn encode_any(&self, text: &str, ids: &mut Vec<u32>) -> bool {
        if self.added_tokens.iter().any(|token| text.contains(token.as_str())) {
            return false;
        }
        self.pieces(text).into_iter().for_each(|piece| self.encode_piece(piece, ids));
        true
    }

    /// The text in parts that can be encoded alone. The tokenizers crate holds what it normalizes many times over, and
    /// Chinese is written without spaces.
    fn pieces<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let (mut pieces, mut rest) = (vec![], text);
        let cut = |rest: &str| {
            let mut characters = rest.char_indices().skip_while(|(at, _)| *at < SHORT);
            characters.find(|(_, letter)| ('\u{4e00}'..='\u{9fff}').contains(letter)).map(|(at, _)| at)
        };
        while let Some(at) = cut(rest).filter(|_| self.chinese_is_words) {
            let (piece, after) = rest.split_at(at);
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        pieces
    }

    fn encode_piece(&self, piece: &str, ids: &mut Vec<u32>) {
        let mut normalized = NormalizedString::from(piece);
        self.normalizer.normalize(&mut normalized).expect("BERT's normalizer takes every text");
        let mut split = PreTokenizedString::from(normalized);
        BertPreTokenizer.pre_tokenize(&mut split).expect("BERT's pre-tokenizer takes every text");
        for (word, ..) in split.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
            self.encode_word(word, ids);
        }
    }

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
