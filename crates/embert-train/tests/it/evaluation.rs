//! Evaluation: results, keys and errors.

use embert_inference::Batching;
use embert_text::{BatchBudget, Padding};
use embert_train::{MetricOptions, evaluate};

use crate::tiny::{self, BATCHING, Examples};

#[test]
fn evaluation_does_not_depend_on_the_batches() {
    let examples = Examples::new(17);
    let model = tiny::model(0.1);
    let evaluate_in = |budget, padding| {
        let batching = Batching { budget, padding, ..BATCHING };
        evaluate(&model, examples.labelled(), batching, MetricOptions::default(), &mut |_| tiny::CONTINUE)
            .unwrap()
            .metrics
    };
    let packed = evaluate_in(BatchBudget::Examples(4), Padding::Packed);
    let padded = evaluate_in(BatchBudget::Examples(17), Padding::MaxLength);
    assert!((packed.loss() - padded.loss()).abs() < 1e-6);
    let matrix = |metrics: &embert_train::Metrics| metrics.single_label().unwrap().confusion_matrix.clone();
    assert_eq!(matrix(&packed), matrix(&padded));
}

#[test]
fn a_serialized_evaluation_has_transformers_keys() {
    let examples = Examples::new(6);
    let found = examples.evaluate(&tiny::model(0.0));
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
fn results_have_the_scores_of_each_label_in_order() {
    let examples = Examples::new(9);
    let found = examples.evaluate(&tiny::model(0.0));
    let results = found.to_results(&["zebra", "ant"].map(str::to_owned));
    let per_class = results["eval_per_class"].as_object().unwrap();
    assert_eq!(per_class.keys().collect::<Vec<_>>(), ["zebra", "ant"]);
    assert_eq!((&per_class["zebra"]["support"], &per_class["ant"]["support"]), (&5.into(), &4.into()));
    let f1 = found.metrics.single_label().unwrap().f1;
    assert_eq!((&per_class["ant"]["f1"], &results["eval_f1"]), (&f1.into(), &f1.into()));
}

#[test]
fn an_unknown_positive_label_is_an_error() {
    let examples = Examples::new(9);
    let error = evaluate(
        &tiny::model(0.0),
        examples.labelled(),
        BATCHING,
        MetricOptions { pos_label: Some(2), thresholds: None },
        &mut |_| tiny::CONTINUE,
    );
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "pos_label is 2, but the model has 2 labels, counted from 0; give one of them");
}
