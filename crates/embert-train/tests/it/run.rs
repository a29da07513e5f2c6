//! A run of `fit`: learning, events, reproducibility and errors.

use std::ops::ControlFlow;

use embert_inference::Batching;
use embert_text::Padding;
use embert_train::{
    Evaluation, Event, Fitted, IntervalStrategy, LabelledTexts, LogEntry, MetricOptions, Snapshot, Targets,
    TrainConfig, TrainData, TrainError, check, evaluate, fit,
};
use serde_json::Value;

use crate::tiny::{self, BATCHING, Examples};

pub(crate) fn config() -> TrainConfig {
    TrainConfig {
        num_train_epochs: 2.0,
        learning_rate: 1e-3,
        logging_steps: 2.into(),
        ..TrainConfig::default()
    }
}

fn train(config: &TrainConfig, padding: Padding) -> Fitted {
    let examples = Examples::new(20);
    let data = TrainData { padding, ..examples.train_only() };
    fit(tiny::model(0.1), data, config, &mut tiny::ignore).unwrap()
}

/// Trains and returns a short name for each event.
fn names_of_events(config: &TrainConfig) -> Vec<String> {
    let examples = Examples::new(20);
    let data = TrainData { eval: Some(examples.labelled()), ..examples.train_only() };
    let mut names = Vec::new();
    fit(tiny::model(0.1), data, config, &mut |event| {
        names.push(match event {
            Event::Started(plan) => format!("started {}", plan.total_steps),
            Event::Step(log) => format!("step {}", log.step),
            Event::Logged(LogEntry::Train(log)) => format!("logged {}", log.step),
            Event::Evaluated(LogEntry::Evaluation { step, epoch, .. }) => format!("evaluated {step} {epoch}"),
            Event::CheckpointDue(Snapshot { state, .. }) => {
                format!("checkpoint {} {}", state.step(), state.epoch())
            }
            Event::Finished(report) => format!("finished {}", report.global_step),
            Event::Evaluating(_) => return tiny::CONTINUE,
            other => panic!("{other:?}"),
        });
        tiny::CONTINUE
    })
    .unwrap();
    names
}

#[test]
fn a_tiny_model_learns_words() {
    let (train, held_out) = (Examples::new(160), Examples::new(50));
    let config = TrainConfig {
        num_train_epochs: 4.0,
        learning_rate: 2e-3,
        warmup_ratio: 0.1,
        ..TrainConfig::default()
    };
    let before = held_out.evaluate(&tiny::model(0.1));
    let fitted = fit(tiny::model(0.1), train.train_only(), &config, &mut tiny::ignore).unwrap();
    let after = held_out.evaluate(&fitted.model);
    let accuracy = |evaluation: &Evaluation| evaluation.metrics.value("accuracy").unwrap();
    assert!(accuracy(&before) < 0.8, "{}", accuracy(&before));
    assert!(accuracy(&after) > 0.95, "{}", accuracy(&after));
    assert!(after.metrics.loss() < before.metrics.loss() / 2.0);
}

#[test]
fn two_runs_with_one_seed_are_bit_identical() {
    let (first, second) = (train(&config(), Padding::Packed), train(&config(), Padding::Packed));
    assert_eq!(tiny::weights(&first.model), tiny::weights(&second.model));
    assert_eq!(first.report.train_loss, second.report.train_loss);
}

#[test]
fn another_seed_changes_the_weights() {
    let other = TrainConfig { seed: 43, ..config() };
    let difference = tiny::largest_difference(
        &tiny::weights(&train(&config(), Padding::Packed).model),
        &tiny::weights(&train(&other, Padding::Packed).model),
    );
    assert!(difference > 1e-4, "{difference}");
}

#[test]
fn padding_does_not_change_the_loss() {
    let rates = TrainConfig { learning_rate: 1e-4, ..config() };
    let packed = train(&rates, Padding::Packed).report;
    let padded = train(&rates, Padding::MultipleOf(8)).report;
    // float32 sums in another order, over six steps
    assert!(
        (packed.train_loss - padded.train_loss).abs() < 1e-5,
        "{} and {}",
        packed.train_loss,
        padded.train_loss
    );
}

#[test]
fn events_arrive_in_order() {
    let config = TrainConfig {
        eval_strategy: IntervalStrategy::Epoch,
        save_strategy: IntervalStrategy::Steps,
        save_steps: 4.into(),
        ..config()
    };
    let expected = [
        "started 6",
        "step 1",
        "step 2",
        "logged 2",
        "step 3",
        "evaluated 3 1",
        "step 4",
        "logged 4",
        "checkpoint 4 1.3333333333333333",
        "step 5",
        "step 6",
        "logged 6",
        "evaluated 6 2",
        "checkpoint 6 2",
        "finished 6",
    ];
    assert_eq!(names_of_events(&config), expected);
}

#[test]
fn max_steps_overrides_num_train_epochs() {
    let config = TrainConfig {
        max_steps: Some(4),
        logging_steps: 3.into(),
        eval_strategy: IntervalStrategy::Steps,
        save_strategy: IntervalStrategy::Epoch,
        ..config()
    };
    let expected = [
        "started 4",
        "step 1",
        "step 2",
        "step 3",
        "logged 3",
        "evaluated 3 1",
        "checkpoint 3 1",
        "step 4",
        "logged 4",
        "evaluated 4 1.3333333333333333",
        "checkpoint 4 1.3333333333333333",
        "finished 4",
    ];
    assert_eq!(names_of_events(&config), expected);
}

#[test]
fn a_logged_loss_is_the_mean_of_its_steps() {
    let examples = Examples::new(20);
    let (mut losses, mut logged) = (Vec::new(), Vec::new());
    let fitted = fit(tiny::model(0.1), examples.train_only(), &config(), &mut |event| {
        match event {
            Event::Step(log) => losses.push(log.loss),
            Event::Logged(LogEntry::Train(log)) => logged.push(log.loss),
            _ => {}
        }
        tiny::CONTINUE
    })
    .unwrap();
    let means = losses.chunks(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect::<Vec<_>>();
    assert_eq!(logged, means);
    assert!((fitted.report.train_loss - losses.iter().sum::<f64>() / 6.0).abs() < 1e-12);
    assert_eq!(fitted.report.log_history.len(), 3);
}

#[test]
fn a_callback_can_stop_the_run_after_a_step() {
    let examples = Examples::new(20);
    let stop_after = |steps: usize| {
        fit(tiny::model(0.1), examples.train_only(), &config(), &mut |event| {
            let stops = matches!(event, Event::Step(log) if log.step == steps);
            Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .unwrap()
    };
    let stopped = stop_after(3);
    assert!(stopped.report.interrupted);
    assert_eq!((stopped.report.global_step, stopped.report.plan.total_steps), (3, 6));
    // The steps since the last log line are logged, too.
    assert!(matches!(stopped.report.log_history.last(), Some(LogEntry::Train(log)) if log.step == 3));
    assert!(!train(&config(), Padding::Packed).report.interrupted);
}

#[test]
fn parameters_without_gradients_do_not_change() {
    let examples = Examples::new(20);
    let mut model = tiny::model(0.0);
    model.base_model = burn::module::Module::no_grad(model.base_model);
    let before = tiny::weights(&model);
    let fitted =
        fit(model, examples.train_only(), &TrainConfig { weight_decay: 0.1, ..config() }, &mut tiny::ignore)
            .unwrap();
    let after = tiny::weights(&fitted.model);
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!(changed, 2); // the classifier's weight and bias
    assert_eq!(fitted.report.plan.num_trainable_parameters, 32 * 2 + 2);
}

#[test]
fn weight_decay_applies_to_matrices_only() {
    // The large epsilon removes the gradient term, so that each step multiplies a weight by 1 − ηλ.
    let examples = Examples::new(8);
    let config = TrainConfig {
        learning_rate: 0.1,
        weight_decay: 0.5,
        adam_epsilon: 1e9,
        max_steps: Some(1),
        ..TrainConfig::default()
    };
    let before = tiny::model(0.0);
    let after = fit(before.clone(), examples.train_only(), &config, &mut tiny::ignore).unwrap().model;
    let (before, after) = (tiny::named_weights(&before), tiny::named_weights(&after));
    let (old, new) = (&before["classifier.weight"], &after["classifier.weight"]);
    assert!(old.iter().zip(new).all(|(old, new)| (new - 0.95 * old).abs() < 1e-6));
    let norm = "bert.embeddings.LayerNorm.weight";
    assert!(before[norm].iter().zip(&after[norm]).all(|(old, new)| (new - old).abs() < 1e-6));
}

#[test]
fn invalid_examples_are_errors_before_training() {
    let (examples, none) = (Examples::new(20), Examples::new(0));
    let error_of = |train: LabelledTexts<'_>, config: &TrainConfig| {
        let data = TrainData { train, ..examples.train_only() };
        let mut events = 0;
        let error = fit(tiny::model(0.0), data, config, &mut |_| {
            events += 1;
            tiny::CONTINUE
        })
        .unwrap_err();
        assert_eq!(events, 0);
        error.to_string()
    };
    let good = examples.labelled();
    assert!(error_of(none.labelled(), &config()).starts_with("there are no examples"));
    let few = LabelledTexts { targets: &Targets::Labels(vec![0, 1]), ..good };
    assert_eq!(error_of(few, &config()), "20 texts have 2 targets; give each text one target");
    let unknown = LabelledTexts { targets: &Targets::Labels(vec![2; 20]), ..good };
    let expected = "example 0 has label 2, but the model has 2 labels, counted from 0";
    assert_eq!(error_of(unknown, &config()), expected);
    let evaluates = TrainConfig { eval_strategy: IntervalStrategy::Epoch, ..config() };
    assert!(error_of(good, &evaluates).starts_with("eval_strategy is epoch; it must be \"no\""));
}

#[test]
fn check_returns_the_errors_of_fit() {
    let examples = Examples::new(20);
    let read = |change: &str| serde_json::from_str::<TrainConfig>(change).unwrap();
    let cases = [
        (r#"{"learning_rate": -1}"#, "learning_rate is -1"),
        (r#"{"freeze": ["roberta"]}"#, "freeze: no parameter name matches \"roberta\""),
        (r#"{"freeze": ["bert", "classifier"]}"#, "freeze and gradual_unfreezing freeze all parameters"),
        (
            r#"{"gradual_unfreezing": ["1:nothing"]}"#,
            "gradual_unfreezing: no parameter name matches \"nothing\"",
        ),
        (r#"{"class_weights": [1, 2, 3]}"#, "class_weights lists 3 numbers"),
        (r#"{"eval_strategy": "epoch"}"#, "eval_strategy is epoch"),
        (
            r#"{"dataloader_drop_last": true, "per_device_train_batch_size": 21}"#,
            "20 examples make no full batch of per_device_train_batch_size 21",
        ),
        (r#"{"lr_scheduler_kwargs": {"power": 2}}"#, "lr_scheduler_kwargs is power=2"),
        (r#"{"load_best_model_at_end": true}"#, "load_best_model_at_end is true"),
    ];
    for (change, expected) in cases {
        let (config, data) = (read(change), examples.train_only());
        let error = check(&tiny::model(0.0), &data, &config).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{change}: {error}");
        let fit_error = fit(tiny::model(0.0), data, &config, &mut tiny::ignore).unwrap_err().to_string();
        assert_eq!(error, fit_error, "{change}");
    }
    let metric_options = MetricOptions { pos_label: Some(2), thresholds: None };
    let data = TrainData { metric_options, ..examples.train_only() };
    let error = check(&tiny::model(0.0), &data, &config()).unwrap_err();
    assert!(matches!(error, TrainError::UnknownPosLabel { pos_label: 2, num_labels: 2 }), "{error}");
    check(&tiny::model(0.0), &examples.train_only(), &config()).unwrap();
}

/// Checks the evaluations and checkpoints of a run of six steps.
#[track_caller]
fn assert_evaluates_and_saves(change: &str, expected: &[&str]) {
    let config =
        TrainConfig { num_train_epochs: 2.0, learning_rate: 1e-3, ..serde_json::from_str(change).unwrap() };
    let mut names = names_of_events(&config);
    names.retain(|name| name.starts_with("evaluated") || name.starts_with("checkpoint"));
    let names = names.iter().map(|name| name.rsplit_once(' ').unwrap().0).collect::<Vec<_>>();
    assert_eq!(names, expected, "{change}");
}

#[test]
fn strategy_steps_also_evaluates_and_saves_the_last_step() {
    // DefaultFlowCallback.on_step_end of transformers 5
    let cases: [(&str, &[&str]); 11] = [
        (
            r#"{"eval_strategy": "steps", "eval_steps": 4, "save_strategy": "no"}"#,
            &["evaluated 4", "evaluated 6"],
        ),
        (
            r#"{"eval_strategy": "steps", "eval_steps": 3, "save_strategy": "no"}"#,
            &["evaluated 3", "evaluated 6"],
        ),
        (
            r#"{"eval_strategy": "steps", "eval_steps": 100, "save_steps": 100}"#,
            &["evaluated 6", "checkpoint 6"],
        ),
        (r#"{"save_steps": 4}"#, &["checkpoint 4", "checkpoint 6"]),
        (r#"{"save_steps": 2}"#, &["checkpoint 2", "checkpoint 4", "checkpoint 6"]),
        (r#"{"save_steps": 0.3}"#, &["checkpoint 2", "checkpoint 4", "checkpoint 6"]),
        (r#"{"save_steps": 0.6}"#, &["checkpoint 4", "checkpoint 6"]),
        (
            r#"{"eval_strategy": "steps", "eval_steps": 0.5, "save_strategy": "no"}"#,
            &["evaluated 3", "evaluated 6"],
        ),
        (
            r#"{"eval_strategy": "steps", "logging_steps": 0.6, "save_strategy": "no"}"#,
            &["evaluated 4", "evaluated 6"],
        ),
        (r#"{"dataloader_drop_last": true, "save_steps": 3}"#, &["checkpoint 3", "checkpoint 4"]),
        (r#"{"eval_strategy": "no", "save_strategy": "no"}"#, &[]),
    ];
    cases.into_iter().for_each(|(change, expected)| assert_evaluates_and_saves(change, expected));
}

#[test]
fn a_run_logs_evaluates_and_saves_at_the_steps_of_the_trainer() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/schedule.json")).unwrap();
    let cases = fixture["runs"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let config: TrainConfig = serde_json::from_value(case["settings"].clone()).unwrap();
        let config = TrainConfig { eval_strategy: IntervalStrategy::Steps, ..config };
        let names = names_of_events(&config);
        let total_steps = config.total_steps(20) as u64;
        for (event, key) in [("evaluated", "evaluated"), ("checkpoint", "saved")] {
            let named = |row: &Value| format!("{event} {} {}", row[0], row[1].as_f64().unwrap());
            let expected = case[key].as_array().unwrap().iter().map(named).collect::<Vec<_>>();
            let mut found = names.clone();
            found.retain(|name| name.starts_with(event));
            assert_eq!(found, expected, "{case}");
        }
        // embert also logs the last step
        let logged = case["logged"].as_array().unwrap().iter().map(|row| row[0].as_u64().unwrap());
        let expected = logged.filter(|&step| step < total_steps).chain([total_steps]);
        let mut found = names;
        found.retain(|name| name.starts_with("logged"));
        assert_eq!(found, expected.map(|step| format!("logged {step}")).collect::<Vec<_>>(), "{case}");
    }
}

#[test]
fn evaluating_no_examples_is_an_error() {
    let none = Examples::new(0);
    let batching = Batching { padding: Padding::Longest, ..BATCHING };
    let error = evaluate(&tiny::model(0.0), none.labelled(), batching, MetricOptions::default(), &mut |_| {
        tiny::CONTINUE
    })
    .unwrap_err();
    assert!(matches!(error, TrainError::NoExamples));
}

#[test]
fn gradient_checkpointing_is_exact_and_bf16_is_close() {
    let plain = train(&config(), Padding::Packed);
    let checkpointed = train(&TrainConfig { gradient_checkpointing: true, ..config() }, Padding::Packed);
    assert!(tiny::weights(&plain.model) == tiny::weights(&checkpointed.model), "recomputed layers differ");
    let rounded = train(&TrainConfig { bf16: true, ..config() }, Padding::Packed);
    let (exact, rounded) = (plain.report.train_loss, rounded.report.train_loss);
    assert!((exact - rounded).abs() < 0.05 * exact, "{rounded} is far from {exact}");
}
