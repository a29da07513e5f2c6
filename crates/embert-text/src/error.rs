//! What can be wrong with a vocabulary, a tokenizer's files or a length.

use std::path::PathBuf;

/// The result of everything in this crate that can fail.
pub type Result<T, E = TextError> = std::result::Result<T, E>;

/// Why a tokenizer could not be read, made or saved, or a length was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A Git LFS pointer in place of a file.
    #[error("{path}: a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`")]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A directory holds no tokenizer.
    #[error(
        "{directory}: holds neither tokenizer.json nor vocab.txt; give a directory saved by transformers or embert"
    )]
    NoTokenizer {
        /// The directory.
        directory: PathBuf,
    },
    /// A tokenizer's file is damaged or contradicts itself.
    #[error("{origin}: not a usable tokenizer: {reason}")]
    Broken {
        /// The file, or `vocabulary` for one in memory.
        origin: String,
        /// What was found.
        reason: String,
    },
    /// A tokenizer of another family.
    #[error("{origin}: {part} is {found}, and only {supported} is supported")]
    Unsupported {
        /// The file.
        origin: String,
        /// The key that was read.
        part: &'static str,
        /// Its value.
        found: String,
        /// What it would have to be.
        supported: &'static str,
    },
    /// Some of `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]` have no id.
    #[error("{origin}: the vocabulary of {vocab_size} tokens lacks {}; is it BERT's?", .missing.join(", "))]
    MissingSpecialTokens {
        /// The file, or `vocabulary` for one in memory.
        origin: String,
        /// How many tokens there are.
        vocab_size: usize,
        /// Those that are missing.
        missing: Vec<&'static str>,
    },
    /// Training was asked for fewer tokens than the letters alone need.
    #[error(
        "vocab_size {vocab_size} is too small: the special tokens and the letters of these texts need {needed}"
    )]
    VocabSizeTooSmall {
        /// What was asked for.
        vocab_size: usize,
        /// The least that works.
        needed: usize,
    },
    /// `max_length` leaves no room for a token between `[CLS]` and `[SEP]`.
    #[error("max_length {max_length} is too small: [CLS], one token and [SEP] need 3")]
    MaxLengthTooSmall {
        /// What was asked for.
        max_length: usize,
    },
    /// `max_length` is more than the model has positions.
    #[error(
        "max_length {max_length} is more than the model's {max_position_embeddings} positions; \
         set it to {max_position_embeddings} or less"
    )]
    MaxLengthTooLarge {
        /// What was asked for.
        max_length: usize,
        /// What the model has.
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
        /// The limit, special tokens included; at least 3.
        max_length: usize,
    },
    /// A truncation that is none of those that exist.
    #[error("truncation {found:?} is none of right, left, head+tail(HEAD,TAIL)")]
    UnknownTruncation {
        /// What was written.
        found: String,
    },
}
