//! Evaluation and prediction, whatever the batches.

use std::ops::ControlFlow;

use embert_inference::{Batching, InferenceError, predict};
use embert_text::{BatchBudget, Padding};
use embert_train::evaluate;

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
        evaluate(&model, examples.labelled(), batching, None, &mut |_| tiny::GO_ON).unwrap().metrics
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
    let stopped =
        predict::<InferenceError>(&tiny::model(0.0), examples.labelled().texts, BATCHING, &mut |progress| {
            batches += 1;
            assert_eq!(progress.total, 17);
            Ok(if progress.done >= 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
    assert!(matches!(stopped, Err(InferenceError::Interrupted)));
    assert_eq!(batches, 2);
}

#[test]
fn an_evaluation_is_written_in_transformers_names() {
    let examples = Examples::new(6);
    let found =
        evaluate(&tiny::model(0.0), examples.labelled(), BATCHING, None, &mut |_| tiny::GO_ON).unwrap();
    let json = serde_json::to_value(found).unwrap();
    let keys = json.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    let expected = [
        "eval_loss",
        "eval_accuracy",
        "eval_f1",
        "eval_precision",
        "eval_recall",
        "eval_f1_macro",
        "eval_precision_weighted",
        "eval_recall_weighted",
        "eval_f1_weighted",
        "eval_matthews_correlation",
        "eval_roc_auc",
        "eval_runtime",
        "eval_samples_per_second",
        "eval_steps_per_second",
    ];
    assert_eq!(keys, expected);
    assert!(json.as_object().unwrap().values().all(serde_json::Value::is_number));
}

#[test]
fn results_hold_the_scores_of_each_label_in_order() {
    let examples = Examples::new(9);
    let found =
        evaluate(&tiny::model(0.0), examples.labelled(), BATCHING, None, &mut |_| tiny::GO_ON).unwrap();
    let results = found.to_results(&["zebra", "ant"].map(str::to_owned));
    let per_class = results["eval_per_class"].as_object().unwrap();
    assert_eq!(per_class.keys().collect::<Vec<_>>(), ["zebra", "ant"]);
    assert_eq!((&per_class["zebra"]["support"], &per_class["ant"]["support"]), (&5.into(), &4.into()));
    assert_eq!(per_class["ant"]["f1"], found.metrics.f1);
    assert_eq!(results["eval_f1"], found.metrics.f1);
}

#[test]
fn a_positive_label_that_the_model_does_not_have_is_refused() {
    let examples = Examples::new(9);
    let error = evaluate(&tiny::model(0.0), examples.labelled(), BATCHING, Some(2), &mut |_| tiny::GO_ON);
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "pos_label is 2, but the model has 2 labels, from 0 on; give one of them");
}
