//! Evaluation and prediction, whatever the batches.

use std::ops::ControlFlow;

use embert_text::{BatchBudget, Padding};
use embert_train::{Batching, TrainError, evaluate, predict};

use crate::tiny::{self, BATCHING, Examples};

#[test]
fn logits_come_in_the_order_of_the_texts() {
    let examples = Examples::new(17);
    let model = tiny::model(0.1);
    let predict_in = |budget, padding| {
        predict(&model, examples.labelled().texts, Batching { budget, padding, ..BATCHING }, &mut |_| {
            tiny::GO_ON
        })
        .unwrap()
    };
    let one_by_one = predict_in(BatchBudget::Examples(1), Padding::Packed);
    let padded = predict_in(BatchBudget::Examples(5), Padding::MultipleOf(16));
    let by_tokens = predict_in(BatchBudget::Tokens(40), Padding::Longest);
    assert_eq!(one_by_one.len(), 17);
    // float32: one matrix product may add in another order than the next
    assert!(tiny::largest_difference(&one_by_one, &padded) < 1e-5);
    assert!(tiny::largest_difference(&one_by_one, &by_tokens) < 1e-5);
    let spread = one_by_one.iter().map(|row| row[0]).fold(f32::MIN, f32::max) - one_by_one[0][0];
    assert!(spread.abs() > 1e-3, "all logits are alike, so their order says nothing");
}

#[test]
fn evaluation_does_not_depend_on_the_batches() {
    let examples = Examples::new(17);
    let model = tiny::model(0.1);
    let evaluate_in = |budget, padding| {
        let batching = Batching { budget, padding, ..BATCHING };
        evaluate(&model, examples.labelled(), batching, &mut |_| tiny::GO_ON).unwrap().metrics
    };
    let packed = evaluate_in(BatchBudget::Examples(4), Padding::Packed);
    let padded = evaluate_in(BatchBudget::Examples(17), Padding::MaxLength);
    assert!((packed.loss - padded.loss).abs() < 1e-6);
    assert_eq!(packed.confusion_matrix, padded.confusion_matrix);
}

#[test]
fn the_caller_can_stop_a_prediction() {
    let examples = Examples::new(17);
    let mut batches = 0;
    let stopped = predict(&tiny::model(0.0), examples.labelled().texts, BATCHING, &mut |progress| {
        batches += 1;
        assert_eq!(progress.total, 17);
        Ok(if progress.done >= 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    assert!(matches!(stopped, Err(TrainError::Interrupted)));
    assert_eq!(batches, 2);
}

#[test]
fn an_evaluation_is_written_in_transformers_names() {
    let examples = Examples::new(6);
    let found = evaluate(&tiny::model(0.0), examples.labelled(), BATCHING, &mut |_| tiny::GO_ON).unwrap();
    let json = serde_json::to_value(found).unwrap();
    let keys = json.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    let expected = [
        "eval_loss",
        "eval_accuracy",
        "eval_f1",
        "eval_precision",
        "eval_recall",
        "eval_f1_macro",
        "eval_matthews_correlation",
        "eval_roc_auc",
        "eval_runtime",
        "eval_samples_per_second",
        "eval_steps_per_second",
    ];
    assert_eq!(keys, expected);
    assert!(json.as_object().unwrap().values().all(serde_json::Value::is_number));
}
