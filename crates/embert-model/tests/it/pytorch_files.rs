//! `pytorch_model.bin` in all forms of `torch.save` (`fixtures/generate_pytorch.py`): the tensors equal those in
//! safetensors, bit for bit.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, ModelError, Pretrained, from_pretrained,
    has_classification_head, save_pretrained,
};
use tempfile::TempDir;

use crate::fixtures;

/// Returns a checkpoint directory with copies of these fixtures, as (fixture, new name).
fn checkpoint(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (fixture, name) in [&[("config.json", "config.json")], files].concat() {
        fs::copy(pytorch_fixtures().join(fixture), directory.path().join(name)).unwrap();
    }
    directory
}

fn pytorch_fixtures() -> PathBuf {
    fixtures().join("pytorch")
}

fn load(directory: &Path) -> Result<Pretrained<AutoModelForSequenceClassification>, ModelError> {
    let config = AutoConfig::from_dir(directory)?;
    from_pretrained(directory, &config, 0, &Device::flex())
}

/// Loads a checkpoint, saves it, and returns the bytes of the new model.safetensors.
fn saved_again(directory: &Path) -> Vec<u8> {
    let saved = tempfile::tempdir().unwrap();
    let config = AutoConfig::from_dir(directory).unwrap();
    let loaded = load(directory).unwrap_or_else(|error| panic!("{error}"));
    assert!(loaded.newly_initialized.is_empty());
    save_pretrained(&loaded.model, &config, saved.path()).unwrap();
    fs::read(saved.path().join("model.safetensors")).unwrap()
}

#[test]
fn tensors_of_every_form_equal_those_in_safetensors_bit_for_bit() {
    let cases = [
        ("", "model"),
        ("_protocol_3", "model"),
        ("_protocol_4", "model"),
        ("_protocol_5", "model"),
        ("_half", "half"),
        ("_bf16", "bf16"),
        ("_double", "model"), // rounded to F32
        ("_dict", "model"),
        ("_parameters", "model"),
        ("_views", "model"),
        ("_pretraining", "model"),
    ];
    for (form, expected) in cases {
        let expected = checkpoint(&[(&format!("{expected}.safetensors"), "model.safetensors")]);
        let expected = saved_again(expected.path());
        for format in ["zip", "legacy"] {
            let directory = checkpoint(&[(&format!("{format}{form}.bin"), "pytorch_model.bin")]);
            assert!(saved_again(directory.path()) == expected, "{format}{form}");
        }
    }
}

#[test]
fn double_precision_safetensors_are_rounded_to_f32() {
    let [double, single] = ["double.safetensors", "model.safetensors"]
        .map(|file| saved_again(checkpoint(&[(file, "model.safetensors")]).path()));
    assert!(double == single);
}

#[test]
fn shards_load_as_one_checkpoint() {
    let sharded = saved_again(&pytorch_fixtures().join("sharded"));
    assert!(sharded == saved_again(&pytorch_fixtures()));
}

#[test]
fn integer_buffers_are_ignored_and_other_heads_are_listed() {
    for format in ["zip", "legacy"] {
        let directory = checkpoint(&[(&format!("{format}_pretraining.bin"), "pytorch_model.bin")]);
        assert_eq!(load(directory.path()).unwrap().unused, ["cls.predictions.decoder.weight"]);
        let config = AutoConfig::from_dir(directory.path()).unwrap();
        assert!(has_classification_head(directory.path(), &config).unwrap());
    }
}

#[test]
fn safetensors_are_preferred() {
    let directory = checkpoint(&[("model.safetensors", "model.safetensors")]);
    fs::write(directory.path().join("pytorch_model.bin"), "damaged").unwrap();
    load(directory.path()).unwrap();
}

#[test]
fn files_with_more_than_a_state_dict_are_refused_with_advice() {
    let module = "the global \"torch.nn.modules.linear.Linear\" is not allowed";
    for (form, expected) in [("checkpoint", "\"epoch\" is an int, not a tensor"), ("model", module)] {
        for format in ["zip", "legacy"] {
            let directory = checkpoint(&[(&format!("{format}_{form}.bin"), "pytorch_model.bin")]);
            let error = load(directory.path()).unwrap_err().to_string();
            let path = directory.path().join("pytorch_model.bin");
            let expected = format!("{}: not a plain state dict: {expected}; nothing in", path.display());
            assert!(error.starts_with(&expected), "{error}");
            assert!(error.contains("save_pretrained") && error.contains("safetensors/convert"), "{error}");
        }
    }
}

#[test]
fn other_files_are_not_valid() {
    let directory = checkpoint(&[]);
    let path = directory.path().join("pytorch_model.bin");
    for content in ["", "<!doctype html><title>404</title>", "weights"] {
        fs::write(&path, content).unwrap();
        let error = load(directory.path()).unwrap_err().to_string();
        let expected = "not a valid PyTorch file: its ";
        assert!(error.starts_with(&format!("{}: {expected}", path.display())), "{error}");
    }
}
