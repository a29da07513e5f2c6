//! Compares classifiers with transformers, for different batches.

use std::ops::ControlFlow;

use burn::tensor::Device;
use embert_inference::{Batching, Classifier, InferenceError, Prediction, predict};
use embert_text::{BatchBudget, Padding};

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
    // torch.softmax(torch.tensor([0.0, 2.0, 1.0]), 0)
    let Prediction { label, score, scores } = Prediction::new(&[0.0, 2.0, 1.0], &labels);
    assert_eq!((label.as_str(), score), ("maybe", scores[1]));
    for (found, expected) in scores.iter().zip([0.0900306, 0.6652409, 0.2447285]) {
        assert!((found - expected).abs() < 1e-6, "{scores:?}");
    }
    assert_eq!(Prediction::new(&[1.0, 1.0, 0.0], &labels).label, "no"); // the first of equal logits
}

#[test]
fn predictions_have_the_label_names_of_the_config() {
    let classifier = classifier();
    let predictions = classifier.classify(&texts()).unwrap();
    assert_eq!(classifier.labels, ["NEGATIVE", "NEUTRAL", "POSITIVE"]);
    for (prediction, logits) in predictions.iter().zip(classifier.logits(&texts()).unwrap()) {
        assert_eq!(*prediction, Prediction::new(&logits, &classifier.labels));
    }
    assert!(classifier.classify::<&str>(&[]).unwrap().is_empty());
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
