//! Detection of weights in unsupported formats, with advice on how to convert them.

use std::fs;
use std::path::Path;

use crate::ModelError;

/// File name suffix, name of the format, and advice.
const FORMATS: [(&str, &str, &str); 8] = [
    (".h5", "TensorFlow", FROM_TF),
    (".ckpt.index", "TensorFlow", FROM_TF),
    (".msgpack", "Flax", FROM_FLAX),
    (".onnx", "ONNX", FROM_EXPORT),
    (".gguf", "GGUF", FROM_EXPORT),
    (".ot", "rust-bert", FROM_EXPORT),
    (".tflite", "TensorFlow Lite", FROM_EXPORT),
    ("openvino_model.bin", "OpenVINO", FROM_EXPORT),
];
const FROM_TF: &str = "convert it once with transformers 4: AutoModel.from_pretrained(directory, from_tf=True)\
                       .save_pretrained(directory, safe_serialization=True)";
const FROM_FLAX: &str = "convert it once with transformers 4: AutoModel.from_pretrained(directory, from_flax=True)\
                         .save_pretrained(directory, safe_serialization=True)";
const FROM_EXPORT: &str = "save the original model with transformers: \
                           save_pretrained(directory, safe_serialization=True)";

/// Returns the error for a directory without weights to read. It names the weights that the directory has.
pub(crate) fn no_weights(directory: &Path) -> ModelError {
    let names = file_names(directory);
    if let Some(name) = names.iter().find(|name| is_pickle(name)) {
        return ModelError::Pickle { path: directory.join(name) };
    }
    let with_suffix = |&(suffix, format, advice): &(&str, &'static str, &'static str)| {
        names.iter().find(|name| name.ends_with(suffix)).map(|name| (name, format, advice))
    };
    match FORMATS.iter().find_map(with_suffix) {
        Some((name, format, advice)) => {
            ModelError::UnsupportedFormat { path: directory.join(name), format, advice }
        }
        None => ModelError::NoWeights { directory: directory.into() },
    }
}

/// Returns true for shards of `pytorch_model.bin` without their index, and the usual names of `torch.save` files.
fn is_pickle(name: &str) -> bool {
    let is_pytorch_model = name.starts_with("pytorch_model") && name.ends_with(".bin");
    is_pytorch_model || [".pt", ".pth", ".ckpt"].iter().any(|suffix| name.ends_with(suffix))
}

/// Returns the sorted file names in the directory and in `onnx/`.
fn file_names(directory: &Path) -> Vec<String> {
    let files_in = |folder: &str| {
        let entries = fs::read_dir(directory.join(folder)).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| format!("{folder}{}", entry.file_name().display())).collect::<Vec<_>>()
    };
    let mut names = [files_in(""), files_in("onnx/")].concat();
    names.sort();
    names
}
