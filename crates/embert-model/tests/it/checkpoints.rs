//! Which files are read, what is said of those that are not, and that what is saved is what was there.

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use embert_model::{
    BertConfig, BertForSequenceClassification, ModelError, Pass, Pretrained, from_pretrained, save_pretrained,
};
use safetensors::SafeTensors;
use tempfile::TempDir;

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};

/// A checkpoint directory with tiny_bert's config.json and these weights.
fn checkpoint(weights: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(fixtures().join("tiny_bert/config.json"), directory.path().join("config.json")).unwrap();
    fs::copy(fixtures().join(weights), directory.path().join("model.safetensors")).unwrap();
    directory
}

fn load(directory: &Path) -> Result<Pretrained, ModelError> {
    let config = BertConfig::from_dir(directory)?;
    from_pretrained(directory, &config, 0, &Device::flex())
}

fn logits(model: &BertForSequenceClassification) -> Vec<f32> {
    let golden = Golden::read();
    values(model.forward(golden.input_ids(&Device::flex()), &golden.layout(), Pass::default()))
}

fn error(directory: &Path) -> String {
    let error = load(directory).expect_err("this must not load").to_string();
    error.replace(&directory.display().to_string(), "DIR")
}

#[test]
fn shards_are_one_checkpoint() {
    let directory = fixtures().join("tiny_bert_sharded");
    let model = load(&directory).unwrap().complete(&directory).unwrap();
    assert_close("logits", &logits(&model), &Golden::read().floats("logits"), 1e-5);
}

#[test]
fn half_precision_files_are_widened() {
    for (file, golden) in [("half.safetensors", "half.logits"), ("bf16.safetensors", "bf16.logits")] {
        let directory = checkpoint(file);
        let model = load(directory.path()).unwrap().model;
        assert_close(golden, &logits(&model), &Golden::read().floats(golden), 1e-5);
    }
}

#[test]
fn legacy_and_bare_checkpoints_lack_only_the_classifier() {
    for file in ["legacy_gamma_beta.safetensors", "no_prefix.safetensors"] {
        let directory = checkpoint(file);
        let loaded = load(directory.path()).unwrap();
        assert_eq!(loaded.newly_initialized, ["classifier.weight", "classifier.bias"]);
        let golden = Golden::read();
        let output = loaded.model.bert.hidden_states(golden.input_ids(&Device::flex()), &golden.layout());
        assert_close(file, &values(output.pooler_output), &golden.floats("pooler_output"), 1e-5);
    }
}

#[test]
fn prediction_refuses_a_checkpoint_without_its_classifier() {
    let directory = checkpoint("no_prefix.safetensors");
    let error = load(directory.path()).unwrap().complete(directory.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("missing 2 of the model's tensors: classifier.weight, classifier.bias"),
        "{error}"
    );
}

#[test]
fn saved_tensors_are_the_loaded_ones_bit_for_bit() {
    let saved = tempfile::tempdir().unwrap();
    let directory = fixtures().join("tiny_bert");
    let config = BertConfig::from_dir(&directory).unwrap();
    save_pretrained(&load(&directory).unwrap().model, &config, saved.path()).unwrap();
    let [before, after] =
        [directory.as_path(), saved.path()].map(|d| fs::read(d.join("model.safetensors")).unwrap());
    let [before, after] = [&before, &after].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(before.len(), after.len());
    for (name, tensor) in before.tensors() {
        assert_eq!(tensor, after.tensor(&name).unwrap(), "{name}");
    }
    let (_, header) =
        SafeTensors::read_metadata(&fs::read(saved.path().join("model.safetensors")).unwrap()).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["format"], "pt");
    let again = BertConfig::from_dir(saved.path()).unwrap();
    assert_eq!(again.architectures.as_deref(), Some(&["BertForSequenceClassification".to_string()][..]));
    assert_eq!((again.label_names(), again.layer_norm_eps), (config.label_names(), config.layer_norm_eps));
}

#[test]
fn random_weights_are_the_same_for_the_same_seed() {
    let config = BertConfig::from_dir(&fixtures().join("tiny_bert")).unwrap();
    let new = |seed| BertForSequenceClassification::new(&config, seed, &Device::flex());
    assert_eq!(logits(&new(1)), logits(&new(1)));
    assert_ne!(logits(&new(1)), logits(&new(2)));
    assert_eq!(new(1).num_params(), load(&fixtures().join("tiny_bert")).unwrap().model.num_params());
}

#[test]
fn bert_base_has_the_published_number_of_parameters() {
    let config = BertConfig::default();
    let model = BertForSequenceClassification::new(
        &BertConfig { num_hidden_layers: 1, ..config },
        0,
        &Device::flex(),
    );
    let layer = model.bert.encoder.layer[0].num_params();
    assert_eq!(model.num_params() + 11 * layer, 109_483_778);
}

/// tiny_bert with a change to its config.json.
fn configured(key: &str, value: serde_json::Value) -> TempDir {
    let directory = checkpoint("tiny_bert/model.safetensors");
    let path = directory.path().join("config.json");
    let mut config: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    config[key] = value;
    fs::write(path, config.to_string()).unwrap();
    directory
}

#[test]
fn configs_that_cannot_run_are_refused_by_name() {
    let cases = [
        ("hidden_act", "gelu_new".into(), "hidden_act is gelu_new, and only gelu is supported"),
        (
            "position_embedding_type",
            "relative_key".into(),
            "position_embedding_type is relative_key, and only absolute",
        ),
        ("is_decoder", true.into(), "is_decoder is true"),
        ("model_type", "roberta".into(), "model_type is roberta, and only bert is supported"),
        ("problem_type", "regression".into(), "problem_type is regression"),
        ("num_attention_heads", 5.into(), "hidden_size 32 is not a multiple of num_attention_heads 5"),
        ("hidden_dropout_prob", 1.0.into(), "hidden_dropout_prob is 1, and must lie in 0..1"),
        ("hidden_size", "32".into(), "invalid type: string"),
        (
            "vocab_size",
            100.into(),
            "bert.embeddings.word_embeddings.weight has shape [99, 32], and the model's has [100, 32]",
        ),
        ("num_hidden_layers", 3.into(), "missing 16 of the model's tensors: bert.encoder.layer.2."),
        ("num_hidden_layers", 1.into(), "16 tensors are not this model's: bert.encoder.layer.1."),
        (
            "intermediate_size",
            65.into(),
            "bert.encoder.layer.0.intermediate.dense.weight has shape [64, 32], and the model's has [65, 32]",
        ),
    ];
    for (key, value, expected) in cases {
        let directory = configured(key, value);
        let error = error(directory.path());
        assert!(error.contains(expected), "{key}: {error}");
    }
}

#[test]
fn unknown_keys_are_ignored_and_left_out_ones_are_bert_base() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("config.json"),
        r#"{"hidden_size": 384, "use_cache": true, "num_labels": 3}"#,
    )
    .unwrap();
    let config = BertConfig::from_dir(directory.path()).unwrap();
    assert_eq!((config.hidden_size, config.num_hidden_layers), (384, 12));
    assert_eq!(config.label_names(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
}

#[test]
fn broken_files_are_named() {
    let truncated = checkpoint("tiny_bert/model.safetensors");
    let path = truncated.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(error(truncated.path()).starts_with("DIR/model.safetensors: not a whole safetensors file: "));
    fs::write(&path, "<!DOCTYPE html>").unwrap();
    assert!(error(truncated.path()).contains("does not fit in a file of 15 bytes"));
    fs::write(&path, "").unwrap();
    assert!(error(truncated.path()).contains("0 bytes are too few for a header"));
    fs::remove_file(&path).unwrap();
    assert!(error(truncated.path()).starts_with("DIR: no model.safetensors"));
    fs::write(truncated.path().join("pytorch_model.bin"), "pickle").unwrap();
    assert!(error(truncated.path()).starts_with("DIR/pytorch_model.bin: a pickle can run any code"));
}
