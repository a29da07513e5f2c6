//! Compares encoders with sentence-transformers.

use burn::tensor::Device;
use embert_inference::{Encoder, InferenceError, OpenOptions, Pooling};
use embert_text::{BatchBudget, Padding};

use crate::fixture::{difference, largest_difference, model_directory, texts};

// both in float32, with another order of summation
const TOLERANCE: f32 = 1e-5;

#[test]
fn vectors_equal_those_of_sentence_transformers() {
    let directory = model_directory();
    let encoder = Encoder::open(directory.path(), &Device::flex()).unwrap();
    let texts = texts();
    for (pooling, key) in [(Pooling::Cls, "cls"), (Pooling::Mean, "mean"), (Pooling::Pooled, "pooled")] {
        let found = difference(&encoder.embed(&texts, pooling).unwrap(), key);
        assert!(found < TOLERANCE, "{key}: {found}");
    }
    let found = difference(&encoder.embed_normalized(&texts, Pooling::Mean).unwrap(), "normalized");
    assert!(found < TOLERANCE, "normalized: {found}");
}

#[test]
fn batching_does_not_change_vectors() {
    let directory = model_directory();
    let mut encoder = Encoder::open(directory.path(), &Device::flex()).unwrap();
    for pooling in [Pooling::Cls, Pooling::Mean, Pooling::Pooled] {
        (encoder.batching.budget, encoder.batching.padding) = (BatchBudget::Examples(2), Padding::Packed);
        let packed = encoder.embed(&texts(), pooling).unwrap();
        (encoder.batching.budget, encoder.batching.padding) =
            (BatchBudget::Examples(5), Padding::MultipleOf(16));
        let padded = encoder.embed(&texts(), pooling).unwrap();
        assert!(largest_difference(&packed, &padded) < TOLERANCE, "{pooling:?}");
    }
}

#[test]
fn an_empty_list_of_texts_has_no_vectors() {
    let directory = model_directory();
    let encoder = Encoder::open(directory.path(), &Device::flex()).unwrap();
    assert!(encoder.embed::<&str>(&[], Pooling::Mean).unwrap().is_empty());
}

#[test]
fn the_default_max_length_is_that_of_sentence_transformers() {
    let directory = model_directory();
    let length =
        |options| Encoder::open_with(directory.path(), &options, &Device::flex()).unwrap().limit.max_length();
    assert_eq!(length(OpenOptions::default()), 12);
    assert_eq!(length(OpenOptions { max_length: Some(20), ..OpenOptions::default() }), 20);
    std::fs::remove_file(directory.path().join("sentence_bert_config.json")).unwrap();
    assert_eq!(length(OpenOptions::default()), 48); // the positions of the model
}

#[test]
fn pooled_vectors_require_a_pooler() {
    let directory = model_directory();
    let config = directory.path().join("config.json");
    let distilbert = concat!(env!("CARGO_MANIFEST_DIR"), "/../embert-model/tests/fixtures/tiny_distilbert/");
    std::fs::copy(format!("{distilbert}config.json"), config).unwrap();
    std::fs::copy(format!("{distilbert}model.safetensors"), directory.path().join("model.safetensors"))
        .unwrap();
    let encoder = Encoder::open(directory.path(), &Device::flex()).unwrap();
    assert!(matches!(encoder.embed(&["good"], Pooling::Pooled), Err(InferenceError::NoPooler)));
    assert_eq!(encoder.embed(&["good"], Pooling::Cls).unwrap()[0].len(), 32);
}
