//! The tokenizer: encodes a text as the ids of its tokens, with special tokens such as `[CLS]` first and `[SEP]` last.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use crate::special_token_roles::{FileTokens, SpecialTokenRoles};
use crate::special_token_template::SpecialTokenTemplate;
use crate::special_tokens::SpecialTokens;
use crate::tokenizer_class::TokenizerClass;
use crate::tokenizer_files::{self, TokenizerFiles};
use crate::truncation::NUM_SPECIAL_TOKENS;
use crate::wordpiece::{WHITESPACE, WordPieceEncoder};
use crate::{EncodedTexts, Limit, Result, TextError, TokenizerNote, Truncation};
use crate::{bert_pipeline, save, tokenizer_json, train};

/// The number of texts per rayon task: large for a low overhead, small for balanced threads.
pub(crate) const TEXTS_PER_TASK: usize = 64;

/// A tokenizer of an encoder: WordPiece, byte-level BPE or Unigram. Its ids are those of the `tokenizers` library.
///
/// WordPiece has an own implementation, which is faster. The tokenizers crate encodes the other models. Their time and
/// memory grow linearly with the length of a text, also without spaces.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    pub(crate) inner: tokenizers::Tokenizer,
    wordpiece: Option<WordPieceEncoder>,
    pub(crate) template: SpecialTokenTemplate,
    pub(crate) special_tokens: SpecialTokenRoles,
    /// `model_input_names` of tokenizer_config.json; null without it.
    pub(crate) model_input_names: Value,
    truncation: Truncation,
    notes: Vec<TokenizerNote>,
    vocab_size: usize,
    pad_id: u32,
}

impl Tokenizer {
    /// Reads a tokenizer from a directory saved by transformers: its `tokenizer.json`, or else its `vocab.txt`,
    /// `vocab.json` with `merges.txt`, `sentencepiece.bpe.model`, `spm.model` or `spiece.model`.
    ///
    /// # Errors
    ///
    /// [`TextError::NoTokenizer`] if the directory has none of them, and the errors of
    /// [`from_file`](Self::from_file).
    pub fn from_dir(directory: &Path) -> Result<Self> {
        Self::from_file(&tokenizer_files::find(directory)?)
    }

    /// Returns true if a directory has a file that [`from_dir`](Self::from_dir) reads.
    pub fn is_in(directory: &Path) -> bool {
        tokenizer_files::find(directory).is_ok()
    }

    /// Reads a `tokenizer.json` (any name that ends in `.json`), a `vocab.json` with the `merges.txt` next to it, a
    /// SentencePiece model (any name that ends in `.model`) or a `vocab.txt` (any other name).
    ///
    /// A `tokenizer.json` has its own pipeline, which may differ from that of `tokenizer_class` in transformers 5. For
    /// the other files, the class decides the pipeline: `tokenizer_class` in `tokenizer_config.json` or `config.json`,
    /// or else `model_type` in `config.json`, or else the class that usually has the file.
    ///
    /// A `tokenizer_config.json` in the same directory overrides `do_lower_case`, `strip_accents` and
    /// `tokenize_chinese_chars` of BERT, and `add_prefix_space` of RoBERTa, as in transformers. A `vocab.txt` without it
    /// is uncased. With `model_input_names` that lack `token_type_ids`, all tokens of a pair have type 0. Its
    /// `truncation_side` is used by [`save`](Self::save). Truncation and padding in a `tokenizer.json` are ignored.
    ///
    /// Added tokens come from `tokenizer.json`, and from `added_tokens_decoder` and the special tokens in
    /// `tokenizer_config.json`. Without `added_tokens_decoder`, they come from `added_tokens.json` and
    /// `special_tokens_map.json`, too.
    ///
    /// # Errors
    ///
    /// A [`TextError`] if a file is missing, malformed or a Git LFS pointer; if a component, regular expression or class
    /// is not supported; if ids of added tokens have a gap or belong to other tokens; if a special token is missing.
    pub fn from_file(path: &Path) -> Result<Self> {
        Self::load(TokenizerFiles::read(path)?, &path.display().to_string())
    }

    /// Creates an uncased tokenizer of BERT from a vocabulary in memory. The id of a token is its index.
    ///
    /// # Errors
    ///
    /// A [`TextError`] if a token occurs twice or a special token is missing.
    pub fn from_vocab<T: AsRef<str>>(tokens: &[T]) -> Result<Self> {
        let ids: BTreeMap<_, _> =
            tokens.iter().zip(0..).map(|(token, id)| (token.as_ref().to_owned(), id)).collect();
        if ids.len() < tokens.len() {
            let reason = format!("{} of {} tokens are repeated", tokens.len() - ids.len(), tokens.len());
            return Err(TextError::Malformed { origin: "vocabulary".to_owned(), reason });
        }
        let tokens = SpecialTokens::new(TokenizerClass::Bert, &[]);
        let content = bert_pipeline::content(TokenizerClass::Bert, &ids, &tokens, "vocabulary")?;
        Self::load(TokenizerFiles::of_content(content), "vocabulary")
    }

    /// Trains an uncased tokenizer of BERT with at most `vocab_size` tokens on texts.
    ///
    /// `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` have ids 0 to 4. Characters and the most frequent pieces
    /// follow. The same texts give the same ids.
    ///
    /// # Errors
    ///
    /// [`TextError::VocabSizeTooSmall`] if `vocab_size` is less than the number of special tokens and characters.
    pub fn train<T: AsRef<str> + Sync>(texts: &[T], vocab_size: usize) -> Result<Self> {
        Self::from_vocab(&train::vocabulary(texts, vocab_size)?)
    }

    /// Sets the `truncation_side` that [`save`](Self::save) writes. Head and tail are saved as `right`, because
    /// transformers has no name for them.
    ///
    /// This does not change [`encode`](Self::encode), which truncates by its `limit`.
    pub fn with_truncation(self, truncation: Truncation) -> Self {
        Self { truncation, ..self }
    }

    /// Returns the truncation that [`save`](Self::save) writes.
    pub fn truncation(&self) -> Truncation {
        self.truncation
    }

    /// Saves the tokenizer into an existing directory, which `AutoTokenizer` of transformers opens.
    ///
    /// Writes `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json`. WordPiece also gets a `vocab.txt`,
    /// RoBERTa a `vocab.json` and a `merges.txt`, and both an `added_tokens.json` if there are added tokens.
    ///
    /// `tokenizer_class` is the class in transformers: `BertTokenizer`, or `DistilBertTokenizer` for a model without
    /// token types. If that class does not encode as the tokenizer, `PreTrainedTokenizerFast` is saved, which follows
    /// the `tokenizer.json`: transformers 5 ignores parts of the file for `XLMRobertaTokenizer` and others.
    /// `model_max_length` is the maximum number of tokens of the model.
    ///
    /// # Errors
    ///
    /// [`TextError::Write`] if a file cannot be written.
    pub fn save(&self, directory: &Path, tokenizer_class: &str, model_max_length: usize) -> Result<()> {
        save::save(self, directory, tokenizer_class, model_max_length)
    }

    /// Encodes one text: `[CLS]`, its tokens, `[SEP]`, or `<s>`, its tokens, `</s>`; at most `limit.max_length()` ids.
    pub fn encode(&self, text: &str, limit: Limit) -> Vec<u32> {
        self.add_special_tokens(&self.encode_content(text), limit)
    }

    /// Encodes all texts in parallel. The result does not depend on the number of threads.
    ///
    /// Calls `on_progress`, on any thread, with the number of texts since the last call. The sum of these numbers is
    /// `texts.len()`.
    pub fn encode_all<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        limit: Limit,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> EncodedTexts {
        let encode_some = |texts: &[T]| {
            let mut encoded = self.empty_texts(limit);
            for text in texts {
                let content = self.encode_content(text.as_ref());
                encoded.push(&self.add_special_tokens(&content, limit), content.len() + NUM_SPECIAL_TOKENS);
            }
            on_progress(texts.len());
            encoded
        };
        let parts: Vec<_> = texts.par_chunks(TEXTS_PER_TASK).map(encode_some).collect();
        let mut encoded = self.empty_texts(limit);
        parts.iter().for_each(|part| encoded.append(part));
        encoded
    }

    /// Returns notes about assumptions, for settings that the files do not contain.
    pub fn notes(&self) -> &[TokenizerNote] {
        &self.notes
    }

    /// Returns the size of an embedding for these ids: the highest id plus one.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Returns the id of the padding token.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    /// Returns the id of a token.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Returns the token of an id.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    fn load(files: TokenizerFiles, origin: &str) -> Result<Self> {
        let TokenizerFiles { content, named, model_input_names, truncation, notes } = files;
        let of_file = FileTokens::new(&content);
        let (inner, template) = tokenizer_json::load(content, origin)?;
        let has_types = !tokenizer_files::lacks_token_types(&model_input_names);
        let template = if has_types { template } else { template.with_one_type() };
        let special_tokens = SpecialTokenRoles::new(&inner, &template, of_file, &named, origin)?;
        let pad_id = special_tokens.get("pad_token").and_then(|pad| inner.token_to_id(pad));
        let pad_id = pad_id.expect("loading checks the padding token");
        let vocab_size = inner.get_vocab(true).values().max().map_or(0, |id| *id as usize + 1);
        let wordpiece = WordPieceEncoder::new(&inner);
        Ok(Self {
            inner,
            wordpiece,
            template,
            special_tokens,
            model_input_names,
            truncation,
            notes,
            vocab_size,
            pad_id,
        })
    }

    pub(crate) fn empty_texts(&self, limit: Limit) -> EncodedTexts {
        EncodedTexts::new(limit, self.vocab_size, self.pad_id)
    }

    /// Encodes a text without special tokens.
    pub(crate) fn encode_content(&self, text: &str) -> Vec<u32> {
        let Some(wordpiece) = &self.wordpiece else { return self.encode_with_crate(text) };
        let mut ids = Vec::new();
        for part in text.split(WHITESPACE).filter(|part| !part.is_empty()) {
            if !wordpiece.encode_ascii(part, &mut ids) && !wordpiece.encode_unicode(part, &mut ids) {
                ids.extend(self.encode_with_crate(part));
            }
        }
        ids
    }

    /// Encodes a text with the tokenizers crate, which is slower.
    fn encode_with_crate(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.expect("a model with an unknown token has ids for every text").get_ids().to_vec()
    }

    /// Truncates the content and adds the special tokens.
    fn add_special_tokens(&self, content: &[u32], limit: Limit) -> Vec<u32> {
        let (start, end) = limit.keep(content);
        [&[self.template.cls_id], start, end, &[self.template.sep_id]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes every string of four parts: letters, punctuation, whitespace, special tokens and other characters.
    #[test]
    fn word_by_word_encoding_equals_the_tokenizers_crate() {
        let parts = [
            "Good", "ness", "q", "7", "!", "-", " ", "\t", "\u{b}", "\0", "é", "\u{301}", "中", "\u{a0}",
            "[SEP]", "[",
        ];
        let tokens = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "##ness", "ness", "7", "!", "-", "e",
            "##e", "中",
        ];
        let tokenizer = Tokenizer::from_vocab(&tokens).unwrap();
        assert!(tokenizer.wordpiece.is_some());
        for number in 0..parts.len().pow(4) {
            let text: String =
                (0..4).map(|digit| parts[number / parts.len().pow(digit) % parts.len()]).collect();
            assert_eq!(tokenizer.encode_content(&text), tokenizer.encode_with_crate(&text), "{text:?}");
        }
    }

    /// Long texts are split before Chinese characters. A word of more than 100 characters is `[UNK]`.
    #[test]
    fn long_texts_without_spaces_equal_the_tokenizers_crate() {
        let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "中", "##e", "e", "é", "!", "文"];
        let tokenizer = Tokenizer::from_vocab(&tokens).unwrap();
        for part in
            ["中", "中文é!", "中\u{301}e\u{301}", "😀中e", "é", "\u{301}", "한중\u{202e}", "!\u{301}中"]
        {
            let text = part.repeat(10_000 / part.len());
            assert_eq!(tokenizer.encode_content(&text), tokenizer.encode_with_crate(&text), "{part:?}");
        }
        for length in [99, 100, 101] {
            let word = "é".repeat(length);
            assert_eq!(tokenizer.encode_content(&word), tokenizer.encode_with_crate(&word), "{length}");
        }
    }
}
