//! Training of each problem type: accumulation, checkpointing, adapters, bf16, evaluation, run directories and errors.

use std::fs;

use burn::tensor::Device;
use embert_model::ProblemType::{self, MultiLabelClassification, Regression, SingleLabelClassification};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, LoraConfig, add_adapter};
use embert_train::{
    BestModelMetric, ClassWeights, Event, Fitted, IntervalStrategy, LogEntry, Loss, MetricOptions, ModelCard,
    OnExisting, RunDirectory, RunSettings, TrainConfig, TrainData, TrainError, evaluate, fit,
};
use serde_json::Value;

use crate::accumulation::config;
use crate::tiny::{self, BATCHING, Examples};

const TOLERANCE: f64 = 1e-6;

/// Each problem type with each of its losses.
fn tasks() -> Vec<(ProblemType, TrainConfig)> {
    let focal = TrainConfig { loss: Loss::Focal, ..TrainConfig::default() };
    let weighted = TrainConfig { pos_weight: ClassWeights::List(vec![2.0, 0.5]), ..TrainConfig::default() };
    vec![
        (SingleLabelClassification, focal.clone()),
        (MultiLabelClassification, TrainConfig::default()),
        (MultiLabelClassification, weighted),
        (MultiLabelClassification, TrainConfig { pos_weight: ClassWeights::Balanced, ..focal }),
        (Regression, TrainConfig::default()),
    ]
}

/// Returns the settings `to` with the loss of `from`.
fn with_loss_of(from: &TrainConfig, to: TrainConfig) -> TrainConfig {
    let TrainConfig { loss, focal_gamma, pos_weight, class_weights, .. } = from.clone();
    TrainConfig { loss, focal_gamma, pos_weight, class_weights, ..to }
}

/// Trains, and returns the loss of each step.
fn train(
    model: AutoModelForSequenceClassification,
    problem_type: ProblemType,
    config: &TrainConfig,
    replicas: &[Device],
) -> (Vec<f64>, Fitted) {
    let (examples, mut losses) = (Examples::of(problem_type, 22), vec![]);
    let data = TrainData { replicas, ..examples.train_only() };
    let fitted = fit(model, data, config, &mut |event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
        tiny::CONTINUE
    });
    (losses, fitted.unwrap())
}

#[test]
fn accumulation_and_data_parallelism_equal_one_large_batch() {
    for (problem_type, task) in tasks() {
        let run = |config, replicas: &[Device]| {
            train(tiny::model(0.3), problem_type, &with_loss_of(&task, config), replicas)
        };
        let (large, one) = run(config(8, 1), &[]);
        let replica = [Device::flex().autodiff()];
        for (small, other) in [run(config(2, 4), &[]), run(config(4, 2), &[]), run(config(4, 2), &replica)] {
            assert_eq!(large.len(), 6);
            for (large, small) in large.iter().zip(small) {
                assert!((large - small).abs() < TOLERANCE, "{problem_type}: {large} and {small}");
            }
            let mut weights = tiny::named_weights(&one.model);
            weights.retain(|name, _| tiny::has_gradient(name));
            for (name, values) in weights {
                let other = tiny::named_weights(&other.model)[&name].clone();
                let difference = tiny::largest_difference(&[values], &[other]);
                assert!(f64::from(difference) < TOLERANCE, "{problem_type}: {name} differs by {difference}");
            }
        }
    }
}

#[test]
fn gradient_checkpointing_is_bit_identical_for_full_models_and_adapters() {
    for (problem_type, task) in tasks() {
        for has_adapter in [false, true] {
            let run = |gradient_checkpointing| {
                let config = TrainConfig { gradient_checkpointing, ..config(8, 1) };
                let model = tiny::model(0.1);
                let lora = LoraConfig { r: 2, lora_dropout: 0.2, ..LoraConfig::default() };
                let model = if has_adapter { add_adapter(model, &lora, 1).unwrap() } else { model };
                train(model, problem_type, &with_loss_of(&task, config), &[])
            };
            let ((losses, plain), (again, checkpointed)) = (run(false), run(true));
            assert_eq!(losses, again, "{problem_type}");
            assert!(tiny::weights(&plain.model) == tiny::weights(&checkpointed.model), "{problem_type}");
        }
    }
}

#[test]
fn full_models_adapters_and_bf16_learn_each_task() {
    for (problem_type, task) in tasks() {
        for (has_adapter, bf16) in [(false, false), (true, false), (false, true)] {
            let learning_rate = if has_adapter { 3e-2 } else { 5e-3 };
            let learns = TrainConfig { num_train_epochs: 8.0, learning_rate, bf16, ..config(8, 1) };
            let model = tiny::model(0.0);
            let lora = LoraConfig { r: 4, ..LoraConfig::default() };
            let model = if has_adapter { add_adapter(model, &lora, 1).unwrap() } else { model };
            let (losses, _) = train(model, problem_type, &with_loss_of(&task, learns), &[]);
            let (first, last) = (losses[0], losses[losses.len() - 1]);
            assert!(
                last < 0.7 * first,
                "{problem_type}, adapter {has_adapter}, bf16 {bf16}: {first} to {last}"
            );
        }
    }
}

#[test]
fn the_best_model_is_that_of_a_metric_of_the_task() {
    for (problem_type, metric, name) in [
        (MultiLabelClassification, BestModelMetric::F1Micro, "eval_f1_micro"),
        (MultiLabelClassification, BestModelMetric::HammingLoss, "eval_hamming_loss"),
        (Regression, BestModelMetric::Pearson, "eval_pearson"),
        (Regression, BestModelMetric::Mae, "eval_mae"),
    ] {
        let [train, eval] = [22, 12].map(|count| Examples::of(problem_type, count));
        let data = TrainData { eval: Some(eval.labelled()), ..train.train_only() };
        let config = TrainConfig {
            eval_strategy: IntervalStrategy::Steps,
            eval_steps: Some(1.into()),
            load_best_model_at_end: true,
            metric_for_best_model: Some(metric),
            learning_rate: 5e-3,
            ..config(8, 1)
        };
        let fitted = fit(tiny::model(0.0), data, &config, &mut tiny::ignore).unwrap();
        let values = fitted.report.log_history.iter().filter_map(|entry| match entry {
            LogEntry::Evaluation { evaluation, .. } => evaluation.metrics.value(name),
            LogEntry::Train(_) => None,
        });
        let values = values.collect::<Vec<_>>();
        let best = values.iter().copied().fold(f64::NAN, |best, value| {
            if metric.greater_is_better() { value.max(best) } else { value.min(best) }
        });
        assert_eq!(fitted.report.best.unwrap().metric, best, "{name}: {values:?}");
        let again = evaluate(&fitted.model, eval.labelled(), BATCHING, MetricOptions::default(), &mut |_| {
            tiny::CONTINUE
        });
        let again = again.unwrap().metrics.value(name).unwrap();
        assert!((again - best).abs() < 1e-5, "{name}: {again} and {best}");
    }
}

#[test]
fn thresholds_change_the_predicted_labels() {
    let examples = Examples::of(MultiLabelClassification, 12);
    let recall = |thresholds: Option<&[f32]>| {
        let options = MetricOptions { thresholds, ..MetricOptions::default() };
        let evaluation =
            evaluate(&tiny::model(0.0), examples.labelled(), BATCHING, options, &mut |_| tiny::CONTINUE);
        evaluation.map(|evaluation| evaluation.metrics.value("recall_micro").unwrap())
    };
    assert_eq!(recall(Some(&[0.0, 0.0])).unwrap(), 1.0);
    assert_eq!(recall(Some(&[1.0, 1.0])).unwrap(), 0.0);
    assert_eq!(recall(None).unwrap(), recall(Some(&[0.5, 0.5])).unwrap());
    let error = recall(Some(&[0.5])).unwrap_err();
    assert!(matches!(error, TrainError::Thresholds { found: 1, num_labels: 2 }), "{error}");
}

fn json(run: &std::path::Path, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join(name)).unwrap()).unwrap()
}

#[test]
fn a_run_directory_has_the_metrics_and_the_card_of_the_task() {
    for (problem_type, per_label, texts) in [
        (
            MultiLabelClassification,
            "eval_per_class",
            [
                "A multi-label text classifier (NEGATIVE, POSITIVE)",
                "| F1, micro |",
                "- hamming_loss",
                "top_k=None",
                "NEGATIVE 0.25, POSITIVE 0.5",
            ],
        ),
        (
            Regression,
            "eval_per_target",
            [
                "A text regression model (NEGATIVE, POSITIVE)",
                "| Pearson correlation |",
                "- spearmanr",
                "| target | MSE |",
                "A score is the predicted value",
            ],
        ),
    ] {
        let folder = tiny::folder();
        let output_dir = folder.path().join("run");
        let config = TrainConfig { eval_strategy: IntervalStrategy::Epoch, ..config(8, 1) };
        let (mut model_config, tokenizer) = (tiny::config(0.1), tiny::tokenizer());
        model_config.set_problem_type(problem_type);
        if problem_type == MultiLabelClassification {
            model_config.set_thresholds(Some(vec![0.25, 0.5])).unwrap();
        }
        let settings =
            RunSettings { config: &config, model_config: &model_config, tokenizer: &tokenizer, recipe: "" };
        let mut run = RunDirectory::create(&output_dir, OnExisting::Refuse, settings).unwrap();
        let examples = Examples::of(problem_type, 22);
        let data = TrainData { eval: Some(examples.labelled()), ..examples.train_only() };
        let fitted = fit(tiny::model(0.0), data, &config, &mut |event| {
            run.record(&event)?;
            tiny::CONTINUE
        });
        let fitted = fitted.unwrap();
        let evaluation = fitted.report.log_history.iter().rev().find_map(|entry| match entry {
            LogEntry::Evaluation { evaluation, .. } => Some(evaluation.clone()),
            LogEntry::Train(_) => None,
        });
        let card = ModelCard { eval_split: "held out".into(), max_seq_length: 16, ..ModelCard::default() };
        run.finish(&fitted.model, &fitted.report, evaluation.as_ref(), &card).unwrap();
        let saved = AutoConfig::from_dir(&output_dir).unwrap();
        assert_eq!((saved.problem_type(), saved.thresholds()), (problem_type, model_config.thresholds()));
        let results = json(&output_dir, "eval_results.json");
        assert_eq!(results[per_label].as_object().unwrap().len(), 2);
        let log = fs::read_to_string(output_dir.join("metrics.jsonl")).unwrap();
        let evaluations = log.lines().filter(|line| line.contains("eval_loss"));
        for line in evaluations {
            let LogEntry::Evaluation { evaluation, .. } = serde_json::from_str(line).unwrap() else {
                panic!("{line}")
            };
            assert_eq!(evaluation.metrics.problem_type(), problem_type);
        }
        let card = fs::read_to_string(output_dir.join("README.md")).unwrap();
        for text in texts {
            assert!(card.contains(text), "{text} is missing in\n{card}");
        }
    }
}

#[test]
fn settings_of_another_task_are_errors_before_training() {
    let error = |problem_type, change: &str| {
        let config: TrainConfig = serde_json::from_str(change).unwrap();
        let examples = Examples::of(problem_type, 8);
        let data = TrainData { eval: Some(examples.labelled()), ..examples.train_only() };
        fit(tiny::model(0.0), data, &config, &mut tiny::ignore).unwrap_err().to_string()
    };
    for (problem_type, change, expected) in [
        (
            MultiLabelClassification,
            r#"{"label_smoothing_factor": 0.1}"#,
            "label_smoothing_factor is 0.1; it must be 0, except",
        ),
        (
            Regression,
            r#"{"label_smoothing_factor": 0.1}"#,
            "label_smoothing_factor is 0.1; it must be 0, except",
        ),
        (
            MultiLabelClassification,
            r#"{"class_weights": "balanced"}"#,
            "class_weights is balanced; it must be \"none\"",
        ),
        (Regression, r#"{"class_weights": [1, 2]}"#, "class_weights is [1.0, 2.0]; it must be \"none\""),
        (
            SingleLabelClassification,
            r#"{"pos_weight": "balanced"}"#,
            "pos_weight is balanced; it must be \"none\"",
        ),
        (Regression, r#"{"pos_weight": {"a": 2}}"#, "pos_weight is a=2; it must be \"none\""),
        (Regression, r#"{"loss": "focal"}"#, "loss is focal; it must be left out in regression"),
        (MultiLabelClassification, r#"{"pos_weight": [1]}"#, "pos_weight lists 1 numbers for 2 labels"),
        (MultiLabelClassification, r#"{"pos_weight": {"a": 2}}"#, "pos_weight has label names; resolve them"),
        (
            SingleLabelClassification,
            r#"{"metric_for_best_model": "pearson"}"#,
            "metric_for_best_model is eval_pearson, which single_label_classification does not have",
        ),
        (
            MultiLabelClassification,
            r#"{"metric_for_best_model": "f1"}"#,
            "metric_for_best_model is eval_f1, which multi_label_classification",
        ),
        (
            Regression,
            r#"{"metric_for_best_model": "accuracy"}"#,
            "metric_for_best_model is eval_accuracy, which regression does not have",
        ),
    ] {
        let found = error(problem_type, change);
        assert!(found.starts_with(expected), "{change}: {found}");
    }
}

#[test]
fn options_and_targets_that_do_not_fit_each_other_are_errors() {
    let [single, multi, values] =
        [SingleLabelClassification, MultiLabelClassification, Regression].map(|task| Examples::of(task, 8));
    let pos_label = MetricOptions { pos_label: Some(1), thresholds: None };
    let thresholds = MetricOptions { pos_label: None, thresholds: Some(&[0.5, 0.5]) };
    for (examples, eval, metric_options, expected) in [
        (&multi, &multi, pos_label, "pos_label is 1; it must be left out"),
        (&values, &values, pos_label, "pos_label is 1; it must be left out"),
        (&single, &single, thresholds, "thresholds is [0.5, 0.5]; it must be left out"),
        (&values, &values, thresholds, "thresholds is [0.5, 0.5]; it must be left out"),
        (
            &values,
            &multi,
            MetricOptions::default(),
            "the training examples are for regression, but the evaluation examples for multi_label_classification",
        ),
    ] {
        let data = TrainData { eval: Some(eval.labelled()), metric_options, ..examples.train_only() };
        let error = embert_train::check(&tiny::model(0.0), &data, &config(8, 1)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
