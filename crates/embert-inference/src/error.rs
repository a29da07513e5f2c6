//! Errors of inference.

use std::path::PathBuf;

use embert_kernels::Precision;
use embert_model::ModelError;
use embert_text::TextError;

/// Why a model could not be opened, or texts could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The model's files are missing, broken or not supported.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer's files are missing, broken or not supported, or a length is out of range.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A tokenizer of another model.
    #[error(
        "{directory}: the tokenizer has {tokens} tokens and the model's vocab_size is {vocab_size}; they do not belong together",
        directory = directory.display()
    )]
    VocabSize {
        /// The directory of the model.
        directory: PathBuf,
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Rows of the model's embedding.
        vocab_size: usize,
    },
    /// An adapter names no base model, and none was given.
    #[error("{directory}: the adapter names no base model", directory = directory.display())]
    NoBase {
        /// The directory of the adapter.
        directory: PathBuf,
    },
    /// The base model that an adapter names is not a directory.
    #[error(
        "{directory}: the base model of the adapter is {base}, and there is no such directory",
        directory = directory.display()
    )]
    BaseNotFound {
        /// The directory of the adapter.
        directory: PathBuf,
        /// The base model: a path, or an id of the hub.
        base: String,
    },
    /// A base model was given for a directory that holds no adapter.
    #[error("{directory} holds no adapter, so it has no base model", directory = directory.display())]
    NoAdapter {
        /// The directory.
        directory: PathBuf,
    },
    /// An encoder was asked for, and the directory holds an adapter.
    #[error(
        "{directory} holds an adapter, not a complete encoder; merge it into its base model first",
        directory = directory.display()
    )]
    AdapterOnly {
        /// The directory.
        directory: PathBuf,
    },
    /// A file that says how the model was trained is not readable.
    #[error("{path}: {reason}", path = path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The device does not compute in the precision that was asked for.
    #[error("the device does not compute in {precision:?}")]
    Precision {
        /// The precision.
        precision: Precision,
    },
    /// The pooler's output was asked of an encoder without a pooler.
    #[error("the model has no pooler; use the first token or the mean of all tokens")]
    NoPooler,
    /// The model's output for a text is infinite or not a number.
    #[error(
        "the model's {output} for text {row} (from 0) are no finite numbers: its weights, or the scaling of its adapter, are \
         too large to compute with"
    )]
    NotFinite {
        /// What is not finite: logits or hidden states.
        output: &'static str,
        /// The row of the text, from 0.
        row: usize,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}
