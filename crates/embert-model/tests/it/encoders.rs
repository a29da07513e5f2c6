//! Encoders without a classification head: hidden states and pooler output from any checkpoint.

use std::fs;

use burn::tensor::Device;
use embert_model::{AutoConfig, AutoModel, ForwardContext, Pretrained};

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};

/// Loads the encoder from the config.json of `model` and these weights.
fn encoder(model: &str, weights: &str) -> Pretrained<AutoModel> {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(fixtures().join(model).join("config.json"), directory.path().join("config.json")).unwrap();
    fs::copy(fixtures().join(weights), directory.path().join("model.safetensors")).unwrap();
    let config = AutoConfig::from_dir(directory.path()).unwrap();
    AutoModel::from_pretrained(directory.path(), &config, &Device::flex()).unwrap()
}

#[test]
fn encoders_of_all_checkpoints_have_transformers_hidden_states() {
    let head = ["classifier.bias", "classifier.weight"];
    let head_of_distilbert =
        ["classifier.bias", "classifier.weight", "pre_classifier.bias", "pre_classifier.weight"];
    let cases: [(&str, &str, Golden, &[&str]); 4] = [
        ("tiny_bert", "tiny_bert/model.safetensors", Golden::read(), &head),
        ("tiny_bert", "no_prefix.safetensors", Golden::read(), &[]),
        (
            "tiny_distilbert",
            "tiny_distilbert/model.safetensors",
            Golden::of_distilbert(),
            &head_of_distilbert,
        ),
        ("tiny_distilbert", "distilbert_no_prefix.safetensors", Golden::of_distilbert(), &[]),
    ];
    for (model, weights, golden, unused) in cases {
        let loaded = encoder(model, weights);
        assert!(loaded.newly_initialized.is_empty());
        assert_eq!(loaded.unused, unused, "{weights}");
        let (ids, layout) = (golden.input_ids(&Device::flex()), golden.layout());
        let states = loaded.model.forward(ids, &layout, ForwardContext::default());
        assert_close(weights, &values(states.clone()), &golden.floats("hidden_states.2"), 1e-5);
        assert_eq!(loaded.model.has_pooler(), model == "tiny_bert");
        if let Some(pooled) = loaded.model.pooler_output(states, &layout, ForwardContext::default()) {
            assert_close(weights, &values(pooled), &golden.floats("pooler_output"), 1e-5);
        }
    }
}
