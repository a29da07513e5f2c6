//! Errors of tokenizer files, vocabularies and length limits.

use std::path::PathBuf;

use crate::TruncationStrategy;

/// The result type of this crate.
pub type Result<T, E = TextError> = std::result::Result<T, E>;

/// An error of reading, training or saving a tokenizer, or of a length limit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is a Git LFS pointer.
    #[error("{path}: a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`")]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// The directory has no tokenizer.
    #[error(
        "{directory}: contains neither tokenizer.json nor vocab.txt, vocab.json with merges.txt, or a SentencePiece \
         model (sentencepiece.bpe.model, spm.model, spiece.model); use a directory saved by transformers or embert"
    )]
    NoTokenizer {
        /// The directory.
        directory: PathBuf,
    },
    /// A tokenizer file is malformed or contradicts itself.
    #[error("{origin}: not a usable tokenizer: {reason}")]
    Malformed {
        /// The file, or `vocabulary` for a vocabulary in memory.
        origin: String,
        /// The cause.
        reason: String,
    },
    /// A part of the tokenizer is not supported.
    #[error("{origin}: {part} is {found}, but only {supported} is supported")]
    Unsupported {
        /// The file.
        origin: String,
        /// The key.
        part: String,
        /// Its value.
        found: String,
        /// The supported values.
        supported: String,
    },
    /// Some special tokens, such as `[PAD]` or `<s>`, have no id.
    #[error(
        "{origin}: the vocabulary of {vocab_size} tokens lacks {}; use the vocabulary of the model, and name other \
         special tokens in tokenizer_config.json",
        .missing.join(", ")
    )]
    MissingSpecialTokens {
        /// The file, or `vocabulary` for a vocabulary in memory.
        origin: String,
        /// The number of tokens.
        vocab_size: usize,
        /// The missing tokens.
        missing: Vec<String>,
    },
    /// The vocabulary to train cannot contain the characters of the texts.
    #[error(
        "vocab_size {vocab_size} is too small: the special tokens and the characters of these texts need {needed}"
    )]
    VocabSizeTooSmall {
        /// The requested size.
        vocab_size: usize,
        /// The minimum size.
        needed: usize,
    },
    /// `max_length` leaves no room for a token between `[CLS]` and `[SEP]`.
    #[error("max_length {max_length} is too small: [CLS], one token and [SEP] need 3")]
    MaxLengthTooSmall {
        /// The requested length.
        max_length: usize,
    },
    /// `max_length` exceeds the positions of the model.
    #[error(
        "max_length {max_length} is more than the model's {max_position_embeddings} positions; \
         set it to {max_position_embeddings} or less"
    )]
    MaxLengthTooLarge {
        /// The requested length.
        max_length: usize,
        /// The positions of the model.
        max_position_embeddings: usize,
    },
    /// Head and tail together do not fit between `[CLS]` and `[SEP]`.
    #[error(
        "truncation head+tail({head},{tail}) keeps {} tokens, but max_length {max_length} has room for {} \
         between [CLS] and [SEP]", *.head as u128 + *.tail as u128, .max_length - 2
    )]
    HeadTailTooLong {
        /// Tokens kept from the beginning.
        head: usize,
        /// Tokens kept from the end.
        tail: usize,
        /// The limit, with special tokens; at least 3.
        max_length: usize,
    },
    /// `max_length` leaves no room for a token of a pair.
    #[error(
        "max_length {max_length} is too small for text pairs: the {} special tokens and one token need {needed}",
        .needed - 1
    )]
    MaxLengthTooSmallForPairs {
        /// The requested length.
        max_length: usize,
        /// The minimum length.
        needed: usize,
    },
    /// Head and tail of a pair are not defined.
    #[error("truncation head+tail({head},{tail}) is only for single texts; use right or left for text pairs")]
    HeadTailOfPairs {
        /// Tokens kept from the beginning.
        head: usize,
        /// Tokens kept from the end.
        tail: usize,
    },
    /// The text to truncate would lose all its tokens, because the other text alone is too long.
    #[error(
        "text pair {row} (from 0): {strategy} cannot shorten its {} and {} tokens to max_length {max_length} with \
         {num_special_tokens} special tokens; use longest_first or a larger max_length", .lengths[0], .lengths[1]
    )]
    PairTooLong {
        /// The row of the pair, from 0.
        row: usize,
        /// The strategy.
        strategy: TruncationStrategy,
        /// The numbers of tokens of both texts, without special tokens.
        lengths: [usize; 2],
        /// The limit, with special tokens.
        max_length: usize,
        /// The number of special tokens.
        num_special_tokens: usize,
    },
    /// The tokenizer encodes pairs in a way that is not supported.
    #[error(
        "the post_processor of the tokenizer does not support text pairs: {reason}; it must encode a pair as \
         [CLS] A [SEP] B [SEP] or <s> A </s></s> B </s>, with types 0 before types 1"
    )]
    UnsupportedPairs {
        /// The cause.
        reason: String,
    },
    /// The numbers of first and second texts differ.
    #[error("there are {texts} first texts, but {text_pairs} second texts; each pair needs both")]
    PairCount {
        /// The number of first texts.
        texts: usize,
        /// The number of second texts.
        text_pairs: usize,
    },
    /// The name of a truncation strategy is unknown.
    #[error("unknown truncation strategy {found:?}; expected longest_first, only_first or only_second")]
    UnknownTruncationStrategy {
        /// The name.
        found: String,
    },
    /// The name of a truncation is unknown.
    #[error("unknown truncation {found:?}; expected right, left or head+tail(HEAD,TAIL)")]
    UnknownTruncation {
        /// The name.
        found: String,
    },
}
