//! Compares classifiers with transformers, for different batches.

use std::fs;
use std::ops::ControlFlow;

use burn::tensor::Device;
use embert_inference::{Batching, Classifier, InferenceError, Prediction, predict, sigmoids};
use embert_model::Linear;
use embert_model::ProblemType::{self, MultiLabelClassification, Regression, SingleLabelClassification};
use embert_text::{BatchBudget, Padding};
use serde_json::{Map, Value, json};

use crate::fixture::{difference, largest_difference, model_directory, texts};

fn classifier() -> Classifier {
    Classifier::open(model_directory().path(), &Device::flex()).unwrap()
}

#[test]
fn logits_equal_those_of_transformers() {
    let logits = classifier().logits(&texts()).unwrap();
    let found = difference(&logits, "logits");
    assert!(found < 1e-5, "{found}"); // both in float32, with another order of summation
}

#[test]
fn a_prediction_is_the_label_with_the_highest_probability() {
    let labels = ["no", "maybe", "yes"].map(str::to_owned);
    let predict = |logits: &[f32]| Prediction::new(logits, &labels, SingleLabelClassification, None);
    // torch.softmax(torch.tensor([0.0, 2.0, 1.0]), 0)
    let Prediction { label, score, scores, labels: predicted } = predict(&[0.0, 2.0, 1.0]);
    assert_eq!((label.as_str(), score), ("maybe", scores[1]));
    assert_eq!(predicted, ["maybe"]);
    assert_close(&scores, &[0.0900306, 0.6652409, 0.2447285]);
    assert_eq!(predict(&[1.0, 1.0, 0.0]).label, "no"); // the first of equal logits
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let differs = |(found, expected): (&f32, &f32)| (found - expected).abs() > 2e-6;
    assert!(!found.iter().zip(expected).any(differs), "{found:?}, not {expected:?}");
}

#[test]
fn a_multi_label_prediction_has_each_label_at_or_above_its_threshold() {
    let names = ["a", "b", "c"].map(str::to_owned);
    let predict =
        |thresholds| Prediction::new(&[0.0, 2.0, -1.0], &names, MultiLabelClassification, thresholds);
    let found = predict(None);
    assert_eq!((found.label.as_str(), found.score), ("b", found.scores[1]));
    assert_close(&found.scores, &[0.5, 0.880797, 0.2689414]); // torch.sigmoid
    assert_eq!(found.labels, ["a", "b"]);
    assert_eq!(predict(Some(&[0.6, 0.9, 0.2])).labels, ["c"]);
    assert!(predict(Some(&[0.6, 0.9, 0.3])).labels.is_empty());
}

#[test]
fn a_regression_prediction_is_the_value_of_each_target() {
    let names = ["score", "length"].map(str::to_owned);
    let found = Prediction::new(&[-1.5, 4.0], &names, Regression, None);
    assert_eq!((found.label.as_str(), found.score), ("score", -1.5));
    assert_eq!((found.scores, found.labels), (vec![-1.5, 4.0], names.to_vec()));
}

/// Returns the classifier of a directory whose config.json has these values.
fn configured(changes: &[(&str, Value)]) -> Result<Classifier, InferenceError> {
    let directory = model_directory();
    let path = directory.path().join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (key, value) in changes {
        config[key] = value.clone();
    }
    fs::write(&path, config.to_string()).unwrap();
    Classifier::open(directory.path(), &Device::flex())
}

#[test]
fn a_classifier_opens_all_problem_types() {
    let logits = classifier().logits(&texts()).unwrap();
    for problem_type in ProblemType::ALL {
        let classifier = configured(&[("problem_type", json!(problem_type))]).unwrap();
        assert_eq!((classifier.problem_type, &classifier.thresholds), (problem_type, &None));
        for (prediction, logits) in classifier.classify(&texts()).unwrap().iter().zip(&logits) {
            assert_eq!(*prediction, Prediction::new(logits, &classifier.labels, problem_type, None));
        }
    }
    let multi = ("problem_type", json!("multi_label_classification"));
    let all = configured(&[multi.clone(), ("thresholds", json!([0.0, 0.0, 0.0]))]).unwrap();
    assert!(all.classify(&texts()).unwrap().iter().all(|found| found.labels == all.labels));
    let none = configured(&[multi.clone(), ("thresholds", json!([1.0, 1.0, 1.0]))]).unwrap();
    assert!(none.classify(&texts()).unwrap().iter().all(|found| found.labels.is_empty()));
    let error = configured(&[multi, ("thresholds", json!([0.5]))]).unwrap_err().to_string();
    assert!(error.contains("config.json: thresholds: 1 numbers for 3 labels"), "{error}");
}

#[test]
fn predictions_have_the_label_names_of_the_config() {
    let classifier = classifier();
    let predictions = classifier.classify(&texts()).unwrap();
    assert_eq!(classifier.labels, ["NEGATIVE", "NEUTRAL", "POSITIVE"]);
    for (prediction, logits) in predictions.iter().zip(classifier.logits(&texts()).unwrap()) {
        let expected = Prediction::new(&logits, &classifier.labels, SingleLabelClassification, None);
        assert_eq!(*prediction, expected);
    }
    assert!(classifier.classify::<&str>(&[]).unwrap().is_empty());
}

/// Without `problem_type`, one label is a value, of which the pipeline returns the sigmoid.
#[test]
fn predictions_equal_those_of_transformers_pipeline() {
    #[derive(serde::Deserialize)]
    struct Expected {
        label: String,
        score: f32,
        scores: Vec<f32>,
    }
    let expected: Map<String, Value> =
        serde_json::from_str(include_str!("../fixtures/pipeline.json")).unwrap();
    assert_eq!(expected.len(), 5);
    for (name, expected) in expected {
        let has_one_label = name.starts_with("one_");
        let of_one_label = ProblemType::of_num_labels(1);
        let problem_type = if has_one_label { of_one_label } else { name.parse().unwrap() };
        let mut classifier = configured(&[("problem_type", json!(problem_type))]).unwrap();
        if has_one_label {
            let Linear { weight, bias, .. } = &mut classifier.model.head.classifier;
            *weight = weight.clone().map(|weight| weight.narrow(1, 0, 1));
            *bias = bias.clone().map(|bias| bias.map(|bias| bias.narrow(0, 0, 1)));
            classifier.labels.truncate(1);
        }
        let expected: Vec<Expected> = serde_json::from_value(expected).unwrap();
        for (mut found, expected) in classifier.classify(&texts()).unwrap().into_iter().zip(expected) {
            if name == "one_label" {
                found.scores = sigmoids(&found.scores);
                found.score = found.scores[0];
            }
            assert_close(&found.scores, &expected.scores);
            // With several targets, the pipeline returns the highest value.
            if problem_type != Regression || found.scores.len() == 1 {
                assert_eq!(found.label, expected.label, "{name}");
                assert_close(&[found.score], &[expected.score]);
            }
        }
    }
}

/// Returns texts of 1 to 17 words.
fn many_texts() -> Vec<String> {
    let words = ["good", "bad", "film", "the", "a", "plot", "not"];
    (0..17).map(|n| (0..=n * 5 % 17).map(|i| words[(n + i * i) % 7]).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn logits_have_the_order_of_the_texts() {
    let mut classifier = classifier();
    let mut logits_in = |budget, padding| {
        classifier.batching = Batching { budget, padding, ..classifier.batching };
        classifier.logits(&many_texts()).unwrap()
    };
    let one_by_one = logits_in(BatchBudget::Examples(1), Padding::Packed);
    let padded = logits_in(BatchBudget::Examples(5), Padding::MultipleOf(16));
    let by_tokens = logits_in(BatchBudget::Tokens(40), Padding::Longest);
    assert_eq!(one_by_one.len(), 17);
    // float32: the order of summation depends on the shape
    assert!(largest_difference(&one_by_one, &padded) < 1e-5);
    assert!(largest_difference(&one_by_one, &by_tokens) < 1e-5);
    let spread = one_by_one.iter().map(|row| row[0]).fold(f32::MIN, f32::max) - one_by_one[0][0];
    assert!(spread.abs() > 1e-3, "all logits are equal, so the test cannot detect a wrong order");
}

#[test]
fn the_progress_callback_can_stop_a_prediction() {
    let classifier = classifier();
    let texts = classifier.tokenizer.encode_all(&many_texts(), classifier.limit, &|_| ());
    let batching = Batching { budget: BatchBudget::Examples(4), ..classifier.batching };
    let mut batches = 0;
    let stopped = predict::<InferenceError>(&classifier.model, &texts, batching, &mut |progress| {
        batches += 1;
        assert_eq!(progress.total, 17);
        Ok(if progress.done >= 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    assert!(matches!(stopped, Err(InferenceError::Interrupted)));
    assert_eq!(batches, 2);
}
