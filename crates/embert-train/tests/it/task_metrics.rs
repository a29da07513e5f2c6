//! Multi-label and regression metrics, compared with scikit-learn's and SciPy's in `task_metrics.json`.

use embert_train::{MetricOptions, Metrics, MultiLabelMetrics, Targets, fit_thresholds};
use serde_json::Value;

/// NumPy sums in another order.
const TOLERANCE: f64 = 1e-12;

fn cases(kind: &str) -> Vec<Value> {
    let mut all: Value = serde_json::from_str(include_str!("../fixtures/task_metrics.json")).unwrap();
    serde_json::from_value(all[kind].take()).unwrap()
}

fn matrix(case: &Value, key: &str) -> Vec<Vec<f32>> {
    serde_json::from_value(case[key].clone()).unwrap()
}

fn targets(case: &Value) -> Vec<Vec<bool>> {
    matrix(case, "targets")
        .into_iter()
        .map(|row| row.into_iter().map(|target| target == 1.0).collect())
        .collect()
}

fn thresholds(case: &Value) -> Option<Vec<f32>> {
    serde_json::from_value(case["thresholds"].clone()).unwrap()
}

#[track_caller]
fn check(case: &Value, name: &str, found: &Value, expected: &Value) {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => {
            let tolerance = TOLERANCE * expected.abs().max(1.0);
            let name = format!("{}: {name}", case["name"]);
            assert!((found - expected).abs() <= tolerance, "{name} is {found}, not {expected}");
        }
        _ => assert_eq!(found, expected, "{}: {name}", case["name"]),
    }
}

/// Compares all numbers of the log, and the scores of each label or target.
fn check_all(case: &Value, metrics: &Metrics, per_label: &str) {
    let logged = serde_json::to_value(metrics).unwrap();
    let logged = logged.as_object().unwrap();
    let expected = case["metrics"].as_object().unwrap();
    let names = expected.keys().map(|name| format!("eval_{name}"));
    assert!(names.eq(logged.keys().cloned()), "{:?}", logged.keys());
    for (found, (name, expected)) in logged.values().zip(expected) {
        check(case, name, found, expected);
    }
    let num_labels = match metrics {
        Metrics::MultiLabel(metrics) => metrics.label_scores.len(),
        Metrics::Regression(metrics) => metrics.target_scores.len(),
        Metrics::SingleLabel(_) => unreachable!("no case is single-label"),
    };
    let names = (0..num_labels).map(|label| label.to_string()).collect::<Vec<_>>();
    let evaluation = embert_train::Evaluation {
        metrics: metrics.clone(),
        eval_runtime: 1.0,
        eval_samples_per_second: 1.0,
        eval_steps_per_second: 1.0,
    };
    let key = if per_label == "per_label" { "eval_per_class" } else { "eval_per_target" };
    let found = &evaluation.to_results(&names)[key];
    for (metric, expected) in case[per_label].as_object().unwrap() {
        assert_eq!(expected.as_array().unwrap().len(), num_labels);
        for (label, expected) in expected.as_array().unwrap().iter().enumerate() {
            check(case, &format!("{metric} of {label}"), &found[label.to_string()][metric], expected);
        }
    }
}

#[test]
fn multi_label_metrics_match_scikit_learn() {
    for case in cases("multi_label") {
        let limits = thresholds(&case);
        let options = MetricOptions { thresholds: limits.as_deref(), ..MetricOptions::default() };
        let targets = Targets::MultiHot(targets(&case));
        check_all(&case, &Metrics::new(&matrix(&case, "logits"), &targets, options), "per_label");
    }
}

#[test]
fn regression_metrics_match_scikit_learn_and_scipy() {
    for case in cases("regression") {
        let values = Targets::Values(matrix(&case, "values"));
        let metrics = Metrics::new(&matrix(&case, "predictions"), &values, MetricOptions::default());
        check_all(&case, &metrics, "per_target");
    }
}

#[test]
fn fitted_thresholds_have_the_highest_f1_of_scikit_learn() {
    for case in cases("multi_label") {
        let (logits, targets) = (matrix(&case, "logits"), targets(&case));
        let thresholds = fit_thresholds(&logits, &targets);
        let metrics = MultiLabelMetrics::from_logits(&logits, &targets, Some(&thresholds));
        for (label, scores) in metrics.label_scores.iter().enumerate() {
            check(&case, "best F1", &scores.scores.f1.into(), &case["best_f1"][label]);
        }
    }
}

#[test]
fn log_lines_are_read_back_as_the_metrics_of_their_problem_type() {
    let logits = [vec![1.0, -1.0], vec![0.5, 2.0], vec![-1.0, 1.0]];
    for targets in [
        Targets::Labels(vec![0, 1, 1]),
        Targets::MultiHot(vec![vec![true, false], vec![true, true], vec![false, true]]),
        Targets::Values(vec![vec![1.0, 0.0], vec![0.25, 1.0], vec![-2.0, 1.0]]),
        Targets::Values(vec![vec![1.0, 0.0]; 3]), // undefined correlations are null
    ] {
        let metrics = Metrics::new(&logits, &targets, MetricOptions::default());
        let written = serde_json::to_string(&metrics).unwrap();
        let read: Metrics = serde_json::from_str(&written).unwrap();
        assert_eq!(read.problem_type(), targets.problem_type());
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        assert!(metrics.is_complete() && !read.is_complete());
    }
}
