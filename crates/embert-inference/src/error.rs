//! Errors of inference.

use std::path::PathBuf;

use embert_kernels::Precision;
use embert_model::ModelError;
use embert_text::TextError;

/// Error of opening a model or running it on texts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The model files are missing, damaged or not supported.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer files are missing, damaged or not supported, or a length is out of range.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The tokenizer has more tokens than the model's vocabulary.
    #[error(
        "{directory}: the tokenizer has {tokens} tokens, but the model's vocab_size is {vocab_size}; use the tokenizer of this model",
        directory = directory.display()
    )]
    VocabSize {
        /// The directory of the model.
        directory: PathBuf,
        /// The number of tokens of the tokenizer.
        tokens: usize,
        /// The number of rows of the model's word embeddings.
        vocab_size: usize,
    },
    /// The adapter does not name its base model, and no base model was given.
    #[error("{directory}: the adapter does not name its base model; give its directory", directory = directory.display())]
    NoBase {
        /// The directory of the adapter.
        directory: PathBuf,
    },
    /// The base model of the adapter is not a directory.
    #[error(
        "{directory}: the base model of the adapter is {base}, which is not a directory; give its directory",
        directory = directory.display()
    )]
    BaseNotFound {
        /// The directory of the adapter.
        directory: PathBuf,
        /// The base model: a path, or a model id of the Hugging Face Hub.
        base: String,
    },
    /// A base model was given for a directory that contains no adapter.
    #[error("{directory} contains no adapter; a base model is only valid for an adapter", directory = directory.display())]
    NoAdapter {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory contains an adapter, which cannot be opened as an encoder.
    #[error(
        "{directory} contains an adapter, not a complete encoder; merge it into its base model first",
        directory = directory.display()
    )]
    AdapterOnly {
        /// The directory.
        directory: PathBuf,
    },
    /// A file with training settings cannot be read.
    #[error("{path}: {reason}", path = path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// The device does not support the requested precision.
    #[error("the device does not support {precision:?}; choose another precision")]
    Precision {
        /// The precision.
        precision: Precision,
    },
    /// [`Pooling::Pooled`](crate::Pooling::Pooled) was requested from an encoder without a pooler.
    #[error("the model has no pooler; use the first token or the mean of all tokens")]
    NoPooler,
    /// Text pairs were given to a model with one token type.
    #[error("the model has one token type (type_vocab_size in config.json), but text pairs need two")]
    NoSecondTokenType,
    /// The output of the model for a text is NaN or infinite.
    #[error(
        "the model's {output} for text {row} (from 0) are not finite: its weights, or the scaling of its adapter, are \
         too large to compute with"
    )]
    NotFinite {
        /// The kind of output: logits or hidden states.
        output: &'static str,
        /// The row of the text, from 0.
        row: usize,
    },
    /// The progress callback returned `Break`.
    #[error("interrupted")]
    Interrupted,
}
