//! WordPiece for plain ASCII, which most words of English are: the longest piece first, looked up in place.
//!
//! The `tokenizers` crate keeps, for every character, where it came from; nobody here asks, and without
//! that the same ids take a tenth of the time.

use std::collections::HashMap;

use tokenizers::{Model, ModelWrapper, NormalizerWrapper};

/// What ends a word before anything else is looked at, among the characters of plain ASCII.
pub(crate) const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The vocabulary, split by where in a word its pieces stand.
#[derive(Debug, Clone)]
pub(crate) struct AsciiWords {
    first_pieces: HashMap<String, u32>,
    /// Without their `##`.
    inner_pieces: HashMap<String, u32>,
    unk_id: u32,
    lowercase: bool,
    max_word_len: usize,
    /// First bytes of `[CLS]` and the like, which are found before words are.
    reserved: Vec<u8>,
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
            first_pieces: vocabulary,
            unk_id,
            lowercase: normalizer.lowercase,
            max_word_len: model.max_input_chars_per_word,
            reserved: added.values().filter_map(|token| token.content.bytes().next()).collect(),
        })
    }

    /// Adds the ids of a text without [`WHITE_SPACE`]; or adds nothing and says false if it holds more
    /// than letters, digits and punctuation of ASCII.
    pub(crate) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> bool {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !self.reserved.contains(&byte)) {
            return false;
        }
        let lowered = if self.lowercase { &text.to_ascii_lowercase() } else { text };
        for part in lowered.split_inclusive(|letter: char| letter.is_ascii_punctuation()) {
            let (word, punctuation) = part.split_at(part.len() - ends_in_punctuation(part));
            for word in [word, punctuation].into_iter().filter(|word| !word.is_empty()) {
                self.encode_word(word, ids);
            }
        }
        true
    }

    fn encode_word(&self, word: &str, ids: &mut Vec<u32>) {
        let before = ids.len();
        let mut rest = if word.len() <= self.max_word_len { word } else { "" };
        let mut pieces = &self.first_pieces;
        while let Some((id, len)) = longest_piece(rest, pieces) {
            ids.push(id);
            rest = &rest[len..];
            pieces = &self.inner_pieces;
        }
        if !rest.is_empty() || word.len() > self.max_word_len {
            ids.truncate(before);
            ids.push(self.unk_id);
        }
    }
}

fn ends_in_punctuation(part: &str) -> usize {
    usize::from(part.ends_with(|letter: char| letter.is_ascii_punctuation()))
}

fn longest_piece(rest: &str, pieces: &HashMap<String, u32>) -> Option<(u32, usize)> {
    (1..=rest.len()).rev().find_map(|len| pieces.get(&rest[..len]).map(|id| (*id, len)))
}
