//! Errors for Git LFS pointers and weights in unsupported formats.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use embert_model::{Adapter, AutoConfig, from_pretrained};
use tempfile::TempDir;

use crate::fixtures;

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 437955512\n";

fn copy(fixture: &str, files: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in files {
        fs::copy(fixtures().join(fixture).join(file), directory.path().join(file)).unwrap();
    }
    directory
}

fn error(directory: &Path) -> String {
    let config = AutoConfig::from_dir(directory);
    let loaded = config.and_then(|config| from_pretrained(directory, &config, 0, &Device::flex()));
    loaded.unwrap_err().to_string().replace(&directory.display().to_string(), "DIR")
}

#[test]
fn the_error_for_a_git_lfs_pointer_has_the_command() {
    let shards = ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"];
    let cases: [(&str, &[&str], &str); 5] = [
        ("tiny_bert", &["config.json"], "model.safetensors"),
        ("tiny_bert", &["config.json"], "pytorch_model.bin"),
        ("tiny_bert", &["model.safetensors"], "config.json"),
        ("tiny_bert_sharded", &shards, "model-00002-of-00002.safetensors"),
        ("tiny_bert_sharded", &["config.json"], "model.safetensors.index.json"),
    ];
    for (fixture, files, pointer) in cases {
        let directory = copy(fixture, files);
        fs::write(directory.path().join(pointer), POINTER).unwrap();
        let expected = "a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`";
        assert_eq!(error(directory.path()), format!("DIR/{pointer}: {expected}"));
    }
}

#[test]
fn the_error_for_a_git_lfs_pointer_in_an_adapter_has_the_command() {
    let files = ["adapter_config.json", "adapter_model.safetensors"];
    for pointer in files {
        let directory = copy("peft/plain", &files);
        fs::write(directory.path().join(pointer), POINTER).unwrap();
        let error = Adapter::open(directory.path()).err().unwrap().to_string();
        assert!(error.contains(pointer) && error.contains("git lfs pull"), "{error}");
    }
}

#[test]
fn unsupported_formats_are_named_with_advice() {
    let cases = [
        ("tf_model.h5", "TensorFlow weights", "from_tf=True"),
        ("bert_model.ckpt.index", "TensorFlow weights", "from_tf=True"),
        ("flax_model.msgpack", "Flax weights", "from_flax=True"),
        ("model.onnx", "ONNX weights", "save_pretrained"),
        ("onnx/model_quantized.onnx", "ONNX weights", "save_pretrained"),
        ("rust_model.ot", "rust-bert weights", "save_pretrained"),
        ("model-q8_0.gguf", "GGUF weights", "save_pretrained"),
        ("openvino_model.bin", "OpenVINO weights", "save_pretrained"),
        (
            "pytorch_model-00001-of-00002.bin",
            "of the pickle files, only pytorch_model.bin",
            "save_pretrained",
        ),
        ("model.pt", "of the pickle files, only pytorch_model.bin", "save_pretrained"),
    ];
    for (file, what, advice) in cases {
        let directory = copy("tiny_bert", &["config.json"]);
        fs::create_dir(directory.path().join("onnx")).unwrap();
        fs::write(directory.path().join(file), "weights").unwrap();
        let error = error(directory.path());
        assert!(error.starts_with(&format!("DIR/{file}: {what}")), "{error}");
        assert!(error.contains(advice) && error.contains("safe_serialization=True"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn the_error_for_an_empty_directory_names_the_expected_file() {
    let directory = copy("tiny_bert", &["config.json"]);
    assert!(error(directory.path()).starts_with("DIR: no model.safetensors"));
}
