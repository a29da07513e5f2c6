//! Loading and saving checkpoints, and errors for damaged or unsupported files.

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, ForwardContext, ModelError, Pretrained, from_pretrained,
    save_pretrained,
};
use safetensors::SafeTensors;
use tempfile::TempDir;

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};

/// Returns a checkpoint directory with the config.json of `model` and these weights.
pub(crate) fn checkpoint_of(model: &str, weights: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(fixtures().join(model).join("config.json"), directory.path().join("config.json")).unwrap();
    fs::copy(fixtures().join(weights), directory.path().join("model.safetensors")).unwrap();
    directory
}

/// The directories of the tiny models, one for each family.
const MODELS: [&str; 11] = [
    "tiny_bert",
    "tiny_distilbert",
    "families/roberta",
    "families/xlm-roberta",
    "families/camembert",
    "families/electra",
    "families/albert",
    "families/mpnet",
    "families/deberta-v2",
    "families/modernbert",
    "families/modernbert-cls",
];

fn checkpoint(weights: &str) -> TempDir {
    checkpoint_of("tiny_bert", weights)
}

fn load(directory: &Path) -> Result<Pretrained<AutoModelForSequenceClassification>, ModelError> {
    let config = AutoConfig::from_dir(directory)?;
    from_pretrained(directory, &config, 0, &Device::flex())
}

fn logits(model: &AutoModelForSequenceClassification) -> Vec<f32> {
    let golden = Golden::read();
    values(model.forward(golden.input_ids(&Device::flex()), &golden.layout(), ForwardContext::default()))
}

pub(crate) fn error(directory: &Path) -> String {
    let error = load(directory).expect_err("this must not load").to_string();
    error.replace(&directory.display().to_string(), "DIR")
}

#[test]
fn shards_load_as_one_checkpoint() {
    let directory = fixtures().join("tiny_bert_sharded");
    let model = load(&directory).unwrap().complete(&directory).unwrap();
    assert_close("logits", &logits(&model), &Golden::read().floats("logits"), 1e-5);
}

#[test]
fn half_precision_weights_are_converted_to_f32() {
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
        let (model, layout) = (loaded.model.base_model, golden.layout());
        let states = model.forward(golden.input_ids(&Device::flex()), &layout, ForwardContext::default());
        let pooled = model.pooler_output(states, &layout, ForwardContext::default()).unwrap();
        assert_close(file, &values(pooled), &golden.floats("pooler_output"), 1e-5);
    }
}

#[test]
fn distilbert_checkpoints_without_a_head_lack_only_the_head() {
    for file in ["distilbert_masked_lm.safetensors", "distilbert_no_prefix.safetensors"] {
        let directory = checkpoint_of("tiny_distilbert", file);
        let loaded = load(directory.path()).unwrap();
        let head = ["pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias"];
        assert_eq!(loaded.newly_initialized, head);
        let golden = Golden::of_distilbert();
        let ids = golden.input_ids(&Device::flex());
        let states = loaded.model.base_model.forward(ids, &golden.layout(), ForwardContext::default());
        assert_close(file, &values(states), &golden.floats("hidden_states.2"), 1e-5);
    }
}

#[test]
fn a_checkpoint_without_a_classifier_is_not_complete() {
    let directory = checkpoint("no_prefix.safetensors");
    let error = load(directory.path()).unwrap().complete(directory.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("missing 2 of the model's tensors: classifier.weight, classifier.bias"),
        "{error}"
    );
}

#[test]
fn saved_tensors_equal_loaded_ones_bit_for_bit() {
    for fixture in MODELS {
        let saved = tempfile::tempdir().unwrap();
        let directory = fixtures().join(fixture);
        let config = AutoConfig::from_dir(&directory).unwrap();
        save_pretrained(&load(&directory).unwrap().model, &config, saved.path()).unwrap();
        let [before, after] =
            [directory.as_path(), saved.path()].map(|d| fs::read(d.join("model.safetensors")).unwrap());
        let [before, after] = [&before, &after].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        assert_eq!(before.len(), after.len());
        for (name, tensor) in before.tensors() {
            assert_eq!(tensor, after.tensor(&name).unwrap(), "{name}");
        }
    }
}

#[test]
fn saving_keeps_the_config() {
    for fixture in MODELS {
        let saved = tempfile::tempdir().unwrap();
        let directory = fixtures().join(fixture);
        let config = AutoConfig::from_dir(&directory).unwrap();
        save_pretrained(&load(&directory).unwrap().model, &config, saved.path()).unwrap();
        let bytes = fs::read(saved.path().join("model.safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap()["format"], "pt");
        assert_config_survives(&directory, saved.path());
    }
}

/// Checks that each saved key was in the original config.json with the same value. Defaults may be added.
#[track_caller]
fn assert_config_survives(directory: &Path, saved: &Path) {
    let [before, after] = [directory, saved].map(|directory| {
        let text = fs::read_to_string(directory.join("config.json")).unwrap();
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).unwrap()
    });
    for (key, value) in &after {
        match (key.as_str(), before.get(key)) {
            ("problem_type", None) => assert_eq!(value, "single_label_classification"),
            ("position_embedding_type", None) => assert_eq!(value, "absolute"),
            // ModernBERT's config is written with the keys of both generations; `modernbert.rs` checks them.
            ("layer_types" | "global_attn_every_n_layers", None) => {}
            ("rope_parameters" | "global_rope_theta" | "local_rope_theta", None) => {}
            (_, found) => assert_eq!(found, Some(value), "{key}"),
        }
    }
}

#[test]
fn random_weights_depend_only_on_the_seed() {
    for fixture in ["tiny_bert", "tiny_distilbert"] {
        let config = AutoConfig::from_dir(&fixtures().join(fixture)).unwrap();
        let new = |seed| AutoModelForSequenceClassification::new(&config, seed, &Device::flex());
        assert_eq!(logits(&new(1)), logits(&new(1)));
        assert_ne!(logits(&new(1)), logits(&new(2)));
        assert_eq!(new(1).num_params(), load(&fixtures().join(fixture)).unwrap().model.num_params());
    }
}

#[test]
fn damaged_files_are_named() {
    let truncated = checkpoint("tiny_bert/model.safetensors");
    let path = truncated.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(error(truncated.path()).starts_with("DIR/model.safetensors: not a valid safetensors file: "));
    fs::write(&path, "<!DOCTYPE html>").unwrap();
    assert!(error(truncated.path()).contains("does not fit in a file of 15 bytes"));
    fs::write(&path, "").unwrap();
    assert!(error(truncated.path()).contains("the file has 0 bytes, which is too short"));
    fs::remove_file(&path).unwrap();
    assert!(error(truncated.path()).starts_with("DIR: no model.safetensors"));
}
