#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod added_tokens;
mod batch;
mod batch_sampler;
mod bert_pipeline;
mod byte_level_bpe;
mod charsmap;
mod components;
mod encoded;
mod error;
mod json_file;
mod lengths;
mod note;
mod pairs;
mod permutation;
mod save;
mod sentencepiece;
mod special_token_roles;
mod special_token_template;
mod special_tokens;
mod tokenizer;
mod tokenizer_class;
mod tokenizer_files;
mod tokenizer_json;
mod train;
mod truncation;
mod truncation_strategy;
mod unigram;
mod vocabulary;
mod wordpiece;

pub use batch::{Padding, TokenBatch, in_row_order};
pub use batch_sampler::{BatchBudget, SamplingStrategy, evaluation_batches, training_batches};
pub use encoded::EncodedTexts;
pub use error::{Result, TextError};
pub use lengths::{LengthReport, PaddingWaste, padding_share};
pub use note::TokenizerNote;
pub use pairs::EncodedPair;
pub use tokenizer::Tokenizer;
pub use truncation::{Limit, Truncation};
pub use truncation_strategy::TruncationStrategy;
