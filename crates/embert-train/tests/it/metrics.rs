//! Metrics, compared with scikit-learn's in `metrics.json`.

use embert_inference::predicted_label;
use embert_train::SingleLabelMetrics;
use serde_json::Value;

/// NumPy sums in another order.
const TOLERANCE: f64 = 1e-9;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../fixtures/metrics.json")).unwrap()
}

fn labels(case: &Value) -> Vec<usize> {
    serde_json::from_value(case["labels"].clone()).unwrap()
}

fn logits(case: &Value) -> Vec<Vec<f32>> {
    serde_json::from_value(case["logits"].clone()).unwrap()
}

fn metrics(case: &Value) -> SingleLabelMetrics {
    SingleLabelMetrics::from_logits(&logits(case), &labels(case), None)
}

#[track_caller]
fn check(case: &Value, name: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{}: {name} is not a number", case["name"]));
    assert!((found - expected).abs() < TOLERANCE, "{}: {name} is {found}, not {expected}", case["name"]);
}

#[test]
fn loss_accuracy_and_matthews_correlation_match_scikit_learn() {
    for case in cases() {
        let found = metrics(&case);
        check(&case, "loss", found.loss, &case["loss"]);
        check(&case, "accuracy", found.accuracy, &case["accuracy"]);
        check(&case, "matthews_correlation", found.matthews_correlation, &case["matthews_correlation"]);
    }
}

#[test]
fn precision_recall_and_f1_are_of_label_1_of_two_labels_and_macro_means_of_more() {
    for case in cases() {
        let found = metrics(&case);
        let expected = if case["num_labels"] == 2 { &case["binary"] } else { &case["macro"] };
        check(&case, "precision", found.precision, &expected["precision"]);
        check(&case, "recall", found.recall, &expected["recall"]);
        check(&case, "f1", found.f1, &expected["f1"]);
        check(&case, "f1_macro", found.f1_macro, &case["macro"]["f1"]);
    }
}

#[test]
fn weighted_means_match_scikit_learn() {
    for case in cases() {
        let found = metrics(&case);
        check(&case, "precision", found.precision_weighted, &case["weighted"]["precision"]);
        check(&case, "recall", found.recall_weighted, &case["weighted"]["recall"]);
        check(&case, "f1", found.f1_weighted, &case["weighted"]["f1"]);
    }
}

#[test]
fn class_scores_match_scikit_learn() {
    for case in cases() {
        let scores = metrics(&case).class_scores();
        assert_eq!(scores.len() as u64, case["num_labels"].as_u64().unwrap());
        for (label, found) in scores.iter().enumerate() {
            let expected = &case["per_class"];
            check(&case, "precision", found.precision, &expected["precision"][label]);
            check(&case, "recall", found.recall, &expected["recall"][label]);
            check(&case, "f1", found.f1, &expected["f1"][label]);
            check(&case, "support", found.support as f64, &expected["support"][label]);
        }
    }
}

#[test]
fn precision_recall_and_f1_are_of_the_given_positive_label() {
    for case in cases() {
        let of = |pos_label| SingleLabelMetrics::from_logits(&logits(&case), &labels(&case), Some(pos_label));
        let found = of(0);
        check(&case, "precision", found.precision, &case["pos_label_0"]["precision"]);
        check(&case, "recall", found.recall, &case["pos_label_0"]["recall"]);
        check(&case, "f1", found.f1, &case["pos_label_0"]["f1"]);
        let last = of(case["num_labels"].as_u64().unwrap() as usize - 1);
        check(&case, "f1", last.f1, case["per_class"]["f1"].as_array().unwrap().last().unwrap());
        assert_eq!(last.f1_weighted, found.f1_weighted);
    }
}

#[test]
fn roc_auc_matches_scikit_learn_and_is_none_if_a_label_is_absent() {
    for case in cases() {
        match metrics(&case).roc_auc {
            Some(found) => check(&case, "roc_auc", found, &case["roc_auc"]),
            None => assert!(case["roc_auc"].is_null(), "{}: roc_auc", case["name"]),
        }
    }
}

#[test]
fn predictions_and_confusion_matrices_match_scikit_learn() {
    for case in cases() {
        let predictions = logits(&case).iter().map(|row| predicted_label(row)).collect::<Vec<_>>();
        assert_eq!(serde_json::to_value(predictions).unwrap(), case["predictions"], "{}", case["name"]);
        let matrix = serde_json::to_value(metrics(&case).confusion_matrix).unwrap();
        assert_eq!(matrix, case["confusion_matrix"], "{}", case["name"]);
    }
}

#[test]
fn predictions_of_only_one_label_are_detected() {
    let only = |predicted: &[usize], gold: &[usize]| {
        let row =
            |&label: &usize| (0..3).map(|column| f32::from(u8::from(column == label))).collect::<Vec<_>>();
        SingleLabelMetrics::from_logits(&predicted.iter().map(row).collect::<Vec<_>>(), gold, None)
            .only_predicted_label()
    };
    assert_eq!(only(&[1, 1, 1], &[0, 1, 2]), Some(1));
    assert_eq!(only(&[1, 1, 1], &[0, 0, 0]), Some(1));
    assert_eq!(only(&[1, 1, 1], &[1, 1, 1]), None); // all correct
    assert_eq!(only(&[1, 0, 1], &[0, 1, 2]), None);
    assert_eq!(only(&[], &[]), None);
}
