//! What can be wrong with a checkpoint.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a model could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file that should be there is not, or cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Not JSON, or a key with the wrong kind of value.
    #[error("{path}: {source}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A value in config.json that this library does not implement.
    #[error("{path}: {key} is {found}, and only {supported} is supported", path = path.display())]
    Unsupported {
        /// The config.json.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        supported: String,
    },
    /// Values in config.json that contradict each other.
    #[error("{path}: {reason}", path = path.display())]
    Config {
        /// The config.json.
        path: PathBuf,
        /// What contradicts what.
        reason: String,
    },
    /// A setting of an adapter that cannot be, or does not fit the model.
    #[error("{key}: {reason}")]
    Lora {
        /// The key, as in PEFT's LoraConfig.
        key: &'static str,
        /// What is wrong with it, and what there is.
        reason: String,
    },
    /// A model without adapters was to be saved as an adapter.
    #[error("{path}: the model has no adapters to save", path = path.display())]
    NotAdapted {
        /// Where it was to be saved.
        path: PathBuf,
    },
    /// A model that still has adapters was to be saved as a plain one.
    #[error("{path}: the model has adapters: save them as such, or merge them first", path = path.display())]
    Adapted {
        /// Where it was to be saved.
        path: PathBuf,
    },
    /// The directory holds no weights.
    #[error("{directory}: no model.safetensors (or model.safetensors.index.json) here", directory = directory.display())]
    NoWeights {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory holds weights as a pickle only.
    #[error(
        "{path}: a pickle can run any code when it is opened, so it is not read; convert it once with transformers: \
         model.save_pretrained(directory, safe_serialization=True)",
        path = path.display()
    )]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// The directory holds weights in other formats only.
    #[error("{path}: {format} weights are not read, and there is no model.safetensors; {advice}", path = path.display())]
    ForeignWeights {
        /// The file.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
        /// How to get safetensors.
        advice: &'static str,
    },
    /// A Git LFS pointer in place of a file.
    #[error("{path}: a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`", path = path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoint's classifier has another number of labels than was asked for.
    #[error(
        "{path}: {name} has shape {found:?} for {} labels, and the model has {expected}",
        found[0],
        path = path.display()
    )]
    LabelCount {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape in the file: labels, hidden size.
        found: [usize; 2],
        /// The model's number of labels.
        expected: usize,
    },
    /// A file that is not in the safetensors format, or not the whole of it.
    #[error("{path}: not a whole safetensors file: {reason}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Tensors that the model needs and the checkpoint lacks.
    #[error("{path}: missing {} of the model's tensors: {}", names.len(), listed(names), path = path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// Tensors that the checkpoint holds and the model has no place for.
    #[error("{path}: {} tensors are not this model's: {}", names.len(), listed(names), path = path.display())]
    Unused {
        /// The directory.
        path: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// A tensor of another shape than config.json says.
    #[error("{path}: {name} has shape {found:?}, and the model's has {expected:?}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that the model has, in the file's orientation.
        expected: Vec<usize>,
    },
    /// config.json describes a model that the weights cannot fill.
    #[error(
        "{directory}: config.json describes {described} parameters, and the files of weights hold {held} values; they do \
         not belong together",
        directory = directory.display()
    )]
    TooLarge {
        /// The directory.
        directory: PathBuf,
        /// The parameters of the embeddings and the layers that config.json describes.
        described: u128,
        /// The values of all tensors in the files.
        held: u128,
    },
    /// A value that is infinite or not a number.
    #[error("{path}: {name} holds values that are no finite numbers: the file is damaged, or its training diverged", path = path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor of integers, or of a float format that is not read.
    #[error("{path}: {name} is of type {found}, and only F32, F16 and BF16 are read", path = path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type in the file.
        found: String,
    },
    /// A file could not be written.
    #[error("{path}: could not be written: {reason}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The writer's word.
        reason: String,
    },
}

/// The first few, and how many more.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
