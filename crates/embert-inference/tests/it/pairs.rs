//! Compares the logits of text pairs with transformers, for every setting of truncation.

use std::fs;

use burn::tensor::Device;
use embert_inference::{Batching, Classifier, InferenceError, OpenOptions};
use embert_text::{BatchBudget, Padding, TextError, TruncationStrategy};
use serde_json::Value;

use crate::fixture::{fixtures, largest_difference, model_directory};

fn expected(key: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("pairs.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[key].take()
}

fn pairs() -> Vec<(String, String)> {
    serde_json::from_value(expected("pairs")).unwrap()
}

fn options(case: &Value) -> OpenOptions {
    OpenOptions {
        max_length: case["max_length"].as_u64().map(|length| length as usize),
        truncation: Some(case["truncation_side"].as_str().unwrap().parse().unwrap()),
        truncation_strategy: Some(case["truncation_strategy"].as_str().unwrap().parse().unwrap()),
        ..OpenOptions::default()
    }
}

#[test]
fn logits_of_pairs_equal_those_of_transformers() {
    let directory = model_directory();
    let cases: Vec<Value> = serde_json::from_value(expected("cases")).unwrap();
    for case in cases {
        let mut classifier =
            Classifier::open_with(directory.path(), &options(&case), &Device::flex()).unwrap();
        let logits: Vec<Vec<f32>> = serde_json::from_value(case["logits"].clone()).unwrap();
        for (budget, padding) in [
            (BatchBudget::Examples(8), Padding::Packed),
            (BatchBudget::Examples(2), Padding::Longest),
            (BatchBudget::Tokens(40), Padding::MultipleOf(16)),
        ] {
            classifier.batching = Batching { budget, padding, ..classifier.batching };
            let found = largest_difference(&classifier.logits_pairs(&pairs()).unwrap(), &logits);
            assert!(found < 1e-5, "{:?} {padding:?}: {found}", classifier.limit);
        }
    }
}

#[test]
fn predictions_of_pairs_have_the_order_of_the_pairs() {
    let classifier = Classifier::open(model_directory().path(), &Device::flex()).unwrap();
    let predictions = classifier.classify_pairs(&pairs()).unwrap();
    for (prediction, logits) in predictions.iter().zip(classifier.logits_pairs(&pairs()).unwrap()) {
        assert_eq!(*prediction, classifier.prediction(&logits));
    }
    let swapped: Vec<_> = pairs().into_iter().map(|(text, text_pair)| (text_pair, text)).collect();
    assert_ne!(classifier.logits_pairs(&swapped).unwrap(), classifier.logits_pairs(&pairs()).unwrap());
    assert!(classifier.classify_pairs::<&str, &str>(&[]).unwrap().is_empty());
}

#[test]
fn the_strategy_defaults_to_that_of_training() {
    let directory = model_directory();
    let strategy = |options: &OpenOptions| {
        Classifier::open_with(directory.path(), options, &Device::flex()).unwrap().limit.strategy()
    };
    assert_eq!(strategy(&OpenOptions::default()), TruncationStrategy::LongestFirst);
    let recipe = "[data]\nmax_seq_length = 12\ntruncation_strategy = \"only_second\"\n";
    fs::write(directory.path().join("recipe.toml"), recipe).unwrap();
    assert_eq!(strategy(&OpenOptions::default()), TruncationStrategy::OnlySecond);
    let only_first = Some(TruncationStrategy::OnlyFirst);
    let options = OpenOptions { truncation_strategy: only_first, ..OpenOptions::default() };
    assert_eq!(strategy(&options), TruncationStrategy::OnlyFirst);
    let wrong = "[data]\ntruncation_strategy = \"longest\"\n";
    fs::write(directory.path().join("recipe.toml"), wrong).unwrap();
    let error = Classifier::open(directory.path(), &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("unknown truncation strategy \"longest\""), "{error}");
}

#[test]
fn pairs_that_cannot_be_classified_are_errors() {
    let directory = model_directory();
    let only_second = OpenOptions {
        max_length: Some(12),
        truncation_strategy: Some(TruncationStrategy::OnlySecond),
        ..OpenOptions::default()
    };
    let classifier = Classifier::open_with(directory.path(), &only_second, &Device::flex()).unwrap();
    let error = classifier.logits_pairs(&pairs()).unwrap_err();
    assert!(matches!(error, InferenceError::Text(TextError::PairTooLong { row: 3, .. })), "{error}");

    let mut classifier = Classifier::open(directory.path(), &Device::flex()).unwrap();
    let table = classifier.model.base_model.embeddings.token_type_embeddings.as_mut().unwrap();
    table.weight = table.weight.clone().map(|weight| weight.slice([0..1, 0..32]));
    let error = classifier.classify_pairs(&pairs()).unwrap_err();
    assert!(matches!(error, InferenceError::NoSecondTokenType), "{error}");
    assert!(classifier.classify(&["good"]).is_ok());
}
