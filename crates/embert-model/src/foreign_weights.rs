//! Directories with weights in other formats: which format it is, and how to get safetensors.

use std::fs;
use std::path::Path;

use crate::ModelError;

/// Ends of file names, the framework, and what makes safetensors of it.
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
const FROM_EXPORT: &str = "take the model that it was made from, and save that with transformers: \
                           save_pretrained(directory, safe_serialization=True)";

/// The error for a directory without safetensors: it names the weights that are there.
pub(crate) fn no_weights(directory: &Path) -> ModelError {
    let names = file_names(directory);
    if let Some(name) = names.iter().find(|name| is_pickle(name)) {
        return ModelError::Pickle { path: directory.join(name) };
    }
    let of_format = |&(end, format, advice): &(&str, &'static str, &'static str)| {
        names.iter().find(|name| name.ends_with(end)).map(|name| (name, format, advice))
    };
    match FORMATS.iter().find_map(of_format) {
        Some((name, format, advice)) => {
            ModelError::ForeignWeights { path: directory.join(name), format, advice }
        }
        None => ModelError::NoWeights { directory: directory.into() },
    }
}

/// `pytorch_model.bin` and its shards, and what `torch.save` is told to write elsewhere.
fn is_pickle(name: &str) -> bool {
    let of_transformers = name.starts_with("pytorch_model") && name.ends_with(".bin");
    of_transformers || [".pt", ".pth", ".ckpt"].iter().any(|end| name.ends_with(end))
}

/// The names of files in the directory and in `onnx/`, sorted.
fn file_names(directory: &Path) -> Vec<String> {
    let within = |folder: &str| {
        let entries = fs::read_dir(directory.join(folder)).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| format!("{folder}{}", entry.file_name().display())).collect::<Vec<_>>()
    };
    let mut names = [within(""), within("onnx/")].concat();
    names.sort();
    names
}
