//! Errors of reading and writing models.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Error of reading or writing a model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file is not valid JSON, or a key has a value of the wrong type.
    #[error("{path}: {source}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The JSON error, with its position.
        source: serde_json::Error,
    },
    /// A config file has a value that this library does not support.
    #[error("{path}: {key} is {found}; only {supported} is supported", path = path.display())]
    Unsupported {
        /// The config file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// The value in the file.
        found: String,
        /// The supported values.
        supported: String,
    },
    /// A config file has an invalid value, or values that contradict each other.
    #[error("{path}: {reason}", path = path.display())]
    Config {
        /// The config file.
        path: PathBuf,
        /// The key and the problem.
        reason: String,
    },
    /// Decision thresholds do not fit the model.
    #[error("thresholds: {reason}")]
    Thresholds {
        /// The problem, and the valid values.
        reason: String,
    },
    /// A LoRA setting is invalid or does not fit the model.
    #[error("{key}: {reason}")]
    Lora {
        /// The key in PEFT's LoraConfig.
        key: &'static str,
        /// The problem, and the valid values.
        reason: String,
    },
    /// [`save_adapter`](crate::save_adapter) was called for a model without adapters.
    #[error("{path}: the model has no adapters to save", path = path.display())]
    NotAdapted {
        /// The output directory.
        path: PathBuf,
    },
    /// [`save_pretrained`](crate::save_pretrained) was called for a model with LoRA adapters.
    #[error("{path}: the model has LoRA adapters; save them with save_adapter or merge them with merge_adapter", path = path.display())]
    Adapted {
        /// The output directory.
        path: PathBuf,
    },
    /// The directory contains no weights.
    #[error(
        "{directory}: no model.safetensors or pytorch_model.bin in this directory, and no index of their shards",
        directory = directory.display()
    )]
    NoWeights {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory contains only weights in pickles with other names than `pytorch_model.bin`.
    #[error(
        "{path}: of the pickle files, only pytorch_model.bin and the shards of its index are supported; convert the model \
         once with transformers: model.save_pretrained(directory, safe_serialization=True)",
        path = path.display()
    )]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// A PyTorch file contains more than the tensors of a state dict.
    #[error(
        "{path}: not a plain state dict: {reason}; nothing in the file was executed; convert the model to safetensors with \
         transformers 5, model.save_pretrained(directory), or on the hub with the Space safetensors/convert",
        path = path.display()
    )]
    NotAStateDict {
        /// The file.
        path: PathBuf,
        /// The part that is not allowed.
        reason: String,
    },
    /// The directory contains only weights in another unsupported format.
    #[error("{path}: {format} weights are not supported, and there is no model.safetensors; {advice}", path = path.display())]
    UnsupportedFormat {
        /// The file.
        path: PathBuf,
        /// The name of the format.
        format: &'static str,
        /// Advice for converting the model to safetensors.
        advice: &'static str,
    },
    /// The file is a Git LFS pointer.
    #[error("{path}: a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`", path = path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// The classifier of the checkpoint has another number of labels than the model.
    #[error(
        "{path}: {name} has shape {found:?} for {} labels, but the model has {expected} labels",
        found[0],
        path = path.display()
    )]
    LabelCount {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape in the file, `[num_labels, hidden]`.
        found: [usize; 2],
        /// The number of labels of the model.
        expected: usize,
    },
    /// The file is not a valid file of its format.
    #[error("{path}: not a valid {format} file: {reason}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The name of the format.
        format: &'static str,
        /// The problem.
        reason: String,
    },
    /// The shards of a checkpoint, or the names in their index, contradict each other.
    #[error("{path}: {reason}", path = path.display())]
    Shards {
        /// The shard or the index.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// The checkpoint lacks tensors of the model.
    #[error("{path}: missing {} of the model's tensors: {}", names.len(), listed(names), path = path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
        /// The names of the tensors.
        names: Vec<String>,
    },
    /// The checkpoint has tensors that the model does not have.
    #[error("{path}: {} unexpected tensors: {}", names.len(), listed(names), path = path.display())]
    Unused {
        /// The directory.
        path: PathBuf,
        /// The names of the tensors.
        names: Vec<String>,
    },
    /// A tensor has another shape than config.json describes.
    #[error("{path}: {name} has shape {found:?}; the model expects {expected:?}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The expected shape, in the orientation of the file.
        expected: Vec<usize>,
    },
    /// config.json describes far more parameters than the weights hold.
    #[error(
        "{directory}: config.json describes {described} parameters, but the weight files contain {held} values; config.json \
         and the weights do not belong to the same model",
        directory = directory.display()
    )]
    TooLarge {
        /// The directory.
        directory: PathBuf,
        /// The number of parameters in embeddings and layers that config.json describes.
        described: u128,
        /// The number of values in the files.
        held: u128,
    },
    /// A tensor contains NaN or infinity.
    #[error("{path}: {name} contains NaN or infinite values; the file is damaged, or training diverged", path = path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor has an unsupported dtype.
    #[error("{path}: {name} has dtype {found}; only F64, F32, F16 and BF16 are supported", path = path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its dtype in the file.
        found: String,
    },
    /// The tensors cannot be written as a safetensors file.
    #[error("{path}: cannot be written: {reason}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the safetensors crate.
        reason: String,
    },
}

/// Returns the first names and the number of the others.
fn listed(names: &[String]) -> String {
    const MAX_SHOWN: usize = 6;
    let shown = names.iter().take(MAX_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
