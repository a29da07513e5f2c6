//! The tokenizer: text in, ids of WordPiece tokens out, `[CLS]` first and `[SEP]` last.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use crate::ascii::{AsciiWords, WHITE_SPACE};
use crate::tokenizer_files::TokenizerFiles;
use crate::truncation::NUM_SPECIAL_TOKENS;
use crate::{EncodedTexts, Limit, Result, TextError, TokenizerNote, Truncation, save, tokenizer_json, train};

/// Texts that one task encodes: enough to make progress cheap, few enough to keep cores busy.
const TEXTS_PER_TASK: usize = 64;

/// BERT's WordPiece tokenizer.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    ascii: Option<AsciiWords>,
    truncation: Truncation,
    notes: Vec<TokenizerNote>,
    vocab_size: usize,
    pad_id: u32,
    cls_id: u32,
    sep_id: u32,
}

impl Tokenizer {
    /// Reads a directory as saved by transformers: its `tokenizer.json`, or else its `vocab.txt`.
    pub fn from_dir(directory: &Path) -> Result<Self> {
        let found = ["tokenizer.json", "vocab.txt"]
            .map(|name| directory.join(name))
            .into_iter()
            .find(|path| path.is_file());
        let path = found.ok_or_else(|| TextError::NoTokenizer { directory: directory.to_owned() })?;
        Self::from_file(&path)
    }

    /// Reads a `tokenizer.json` (any name that ends in `.json`) or a `vocab.txt` (any other name).
    ///
    /// `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` in a `tokenizer_config.json`
    /// beside it win, as in transformers; a vocabulary alone is uncased. Its `truncation_side` is kept
    /// for [`save`](Self::save). Truncation and padding stored in a `tokenizer.json` are ignored.
    ///
    /// Added tokens are those of `tokenizer.json`, of `added_tokens_decoder` and the special tokens in
    /// `tokenizer_config.json`, and without the former those of `added_tokens.json` and `special_tokens_map.json`.
    ///
    /// # Errors
    /// For files that are missing, broken, Git LFS pointers or another family's, and for ids of added tokens that leave
    /// a gap or belong to other tokens.
    pub fn from_file(path: &Path) -> Result<Self> {
        let TokenizerFiles { content, truncation, notes } = TokenizerFiles::read(path)?;
        Ok(Self { truncation, notes, ..Self::load(content, &path.display().to_string())? })
    }

    /// Makes an uncased tokenizer of a vocabulary in memory; a token's id is its place.
    pub fn from_vocab<T: AsRef<str>>(tokens: &[T]) -> Result<Self> {
        let ids: BTreeMap<_, _> =
            tokens.iter().zip(0..).map(|(token, id)| (token.as_ref().to_owned(), id)).collect();
        if ids.len() < tokens.len() {
            let reason = format!("{} of {} tokens are repeated", tokens.len() - ids.len(), tokens.len());
            return Err(TextError::Broken { origin: "vocabulary".to_owned(), reason });
        }
        Self::load(tokenizer_json::from_vocabulary(&ids), "vocabulary")
    }

    /// Learns an uncased vocabulary of at most `vocab_size` tokens from texts: `[PAD]`, `[UNK]`,
    /// `[CLS]`, `[SEP]`, `[MASK]` with ids 0 to 4, letters, and the most frequent pieces.
    ///
    /// The same texts give the same ids.
    pub fn train<T: AsRef<str> + Sync>(texts: &[T], vocab_size: usize) -> Result<Self> {
        Self::from_vocab(&train::vocabulary(texts, vocab_size)?)
    }

    /// The same tokenizer, which [`save`](Self::save) says to cut long texts so: as `truncation_side`, which knows `right`
    /// and `left`. Head and tail together have no name in transformers and are saved as `right`. What
    /// [`encode`](Self::encode) cuts is up to its `Limit`.
    pub fn with_truncation(self, truncation: Truncation) -> Self {
        Self { truncation, ..self }
    }

    /// Where [`save`](Self::save) says that long texts are cut.
    pub fn truncation(&self) -> Truncation {
        self.truncation
    }

    /// Writes `tokenizer.json`, `vocab.txt`, `tokenizer_config.json` and `special_tokens_map.json`, and
    /// `added_tokens.json` if there are any, into a directory that exists; transformers' `AutoTokenizer` opens it.
    ///
    /// `tokenizer_class` is what transformers is to open it as: `BertTokenizer`, or `DistilBertTokenizer` for a model
    /// that takes no token types. `model_max_length` is what the model can read: its `max_position_embeddings`.
    pub fn save(&self, directory: &Path, tokenizer_class: &str, model_max_length: usize) -> Result<()> {
        save::save(&self.inner, directory, tokenizer_class, model_max_length, self.truncation)
    }

    /// The ids of one text, `[CLS]` first and `[SEP]` last, at most `limit.max_length()` of them.
    pub fn encode(&self, text: &str, limit: Limit) -> Vec<u32> {
        self.enclose(&self.content(text), limit)
    }

    /// Encodes all texts on rayon's threads; the result does not depend on how many there are.
    ///
    /// `on_progress` gets the number of texts done since its last call, from any thread; the
    /// numbers add up to `texts.len()`.
    pub fn encode_all<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        limit: Limit,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> EncodedTexts {
        let encode_some = |texts: &[T]| {
            let mut encoded = self.no_texts(limit);
            for text in texts {
                let content = self.content(text.as_ref());
                encoded.push(&self.enclose(&content, limit), content.len() + NUM_SPECIAL_TOKENS);
            }
            on_progress(texts.len());
            encoded
        };
        let parts: Vec<_> = texts.par_chunks(TEXTS_PER_TASK).map(encode_some).collect();
        let mut encoded = self.no_texts(limit);
        parts.iter().for_each(|part| encoded.append(part));
        encoded
    }

    /// Assumptions that were made where the files say nothing.
    pub fn notes(&self) -> &[TokenizerNote] {
        &self.notes
    }

    /// The rows that an embedding of these ids needs: the highest id and one.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The id of `[PAD]`.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    /// The id of a token, if the vocabulary has it.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token of an id, if the vocabulary has it.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    fn load(content: Value, origin: &str) -> Result<Self> {
        let inner = tokenizer_json::load(content, origin)?;
        let id = |token| inner.token_to_id(token).expect("loading checks the special tokens");
        let (pad_id, cls_id, sep_id) = (id("[PAD]"), id("[CLS]"), id("[SEP]"));
        let vocab_size = inner.get_vocab(true).values().max().map_or(0, |id| *id as usize + 1);
        let ascii = AsciiWords::new(&inner);
        Ok(Self {
            inner,
            ascii,
            truncation: Truncation::default(),
            notes: vec![],
            vocab_size,
            pad_id,
            cls_id,
            sep_id,
        })
    }

    fn no_texts(&self, limit: Limit) -> EncodedTexts {
        EncodedTexts::new(limit, self.vocab_size, self.pad_id)
    }

    fn content(&self, text: &str) -> Vec<u32> {
        let Some(ascii) = &self.ascii else { return self.content_of_any(text) };
        let mut ids = Vec::new();
        for part in text.split(WHITE_SPACE).filter(|part| !part.is_empty()) {
            if !ascii.encode(part, &mut ids) && !ascii.encode_any(part, &mut ids) {
                ids.extend(self.content_of_any(part));
            }
        }
        ids
    }

    fn content_of_any(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.expect("WordPiece with [UNK] has ids for every text").get_ids().to_vec()
    }

    fn enclose(&self, content: &[u32], limit: Limit) -> Vec<u32> {
        let (beginning, end) = limit.keep(content);
        [&[self.cls_id], beginning, end, &[self.sep_id]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every string of four from letters, punctuation, white space, special tokens and what is not ASCII.
    #[test]
    fn words_taken_one_by_one_have_the_ids_of_the_whole_text() {
        let parts = [
            "Good", "ness", "q", "7", "!", "-", " ", "\t", "\u{b}", "\0", "é", "\u{301}", "中", "\u{a0}",
            "[SEP]", "[",
        ];
        let tokens = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "##ness", "ness", "7", "!", "-", "e",
            "##e", "中",
        ];
        let tokenizer = Tokenizer::from_vocab(&tokens).unwrap();
        assert!(tokenizer.ascii.is_some());
        for number in 0..parts.len().pow(4) {
            let text: String =
                (0..4).map(|place| parts[number / parts.len().pow(place) % parts.len()]).collect();
            assert_eq!(tokenizer.content(&text), tokenizer.content_of_any(&text), "{text:?}");
        }
    }

    /// A long text is cut before Chinese characters, and a long word is unknown, however its letters are made.
    #[test]
    fn long_texts_without_spaces_have_the_ids_of_the_whole_text() {
        let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "中", "##e", "e", "é", "!", "文"];
        let tokenizer = Tokenizer::from_vocab(&tokens).unwrap();
        for part in
            ["中", "中文é!", "中\u{301}e\u{301}", "😀中e", "é", "\u{301}", "한중\u{202e}", "!\u{301}中"]
        {
            let text = part.repeat(10_000 / part.len());
            assert_eq!(tokenizer.content(&text), tokenizer.content_of_any(&text), "{part:?}");
        }
        for length in [99, 100, 101] {
            let word = "é".repeat(length);
            assert_eq!(tokenizer.content(&word), tokenizer.content_of_any(&word), "{length}");
        }
    }
}
