//! Learning rates and numbers of steps, compared with transformers' in `schedule.json`.

use embert_train::{LrSchedulerType, Steps, TrainConfig};
use serde_json::{Value, json};

fn fixture(key: &str) -> Vec<Value> {
    let mut fixture: Value = serde_json::from_str(include_str!("../fixtures/schedule.json")).unwrap();
    let Value::Array(cases) = fixture[key].take() else { panic!("{key} is no list") };
    cases
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn settings(value: &Value) -> TrainConfig {
    let config: TrainConfig = serde_json::from_value(value.clone()).unwrap();
    config.validate().unwrap();
    config
}

#[test]
fn learning_rates_match_transformers() {
    let cases = fixture("schedules");
    assert_eq!(cases.len(), 140);
    for case in cases {
        let mut config = settings(&json!({
            "lr_scheduler_type": case["lr_scheduler_type"],
            "lr_scheduler_kwargs": case["lr_scheduler_kwargs"],
            "learning_rate": case["learning_rate"],
        }));
        config.warmup_steps = number(&case["num_warmup_steps"]).into();
        let schedule = config.schedule(number(&case["num_training_steps"])).unwrap();
        let rates: Vec<Option<f64>> = serde_json::from_value(case["rates"].clone()).unwrap();
        assert_eq!(rates.len(), schedule.total_steps + 1);
        for (step, expected) in rates.into_iter().enumerate() {
            let found = schedule.learning_rate(step);
            let is_equal = |expected: f64| (found - expected).abs() < 1e-18;
            assert!(
                found.is_finite() && expected.is_none_or(is_equal),
                "{schedule:?}: step {step} has {found}, not {expected:?}"
            );
        }
    }
}

#[test]
fn the_steps_of_a_warmup_ratio_match_transformers() {
    for case in fixture("warmup_ratios") {
        for key in ["warmup_ratio", "warmup_steps"] {
            let config = settings(&json!({ key: case["warmup_ratio"] }));
            let schedule = config.schedule(number(&case["num_training_steps"])).unwrap();
            assert_eq!(schedule.warmup_steps, number(&case["num_warmup_steps"]), "{key}: {case}");
        }
    }
}

#[test]
fn warmup_steps_override_warmup_ratio() {
    for (warmup_steps, expected) in [(Steps::Count(7), 7), (Steps::Share(0.25), 25), (Steps::Count(0), 50)] {
        let config = TrainConfig { warmup_steps, warmup_ratio: 0.5, ..TrainConfig::default() };
        assert_eq!(config.schedule(100).unwrap().warmup_steps, expected);
    }
}

#[test]
fn intervals_match_transformers() {
    for case in fixture("intervals") {
        let (config, max_steps, state) =
            (settings(&case["given"]), number(&case["max_steps"]), &case["state"]);
        let found = [
            config.logging_steps.of(max_steps),
            config.steps_between_evaluations(max_steps),
            config.save_steps.of(max_steps),
        ];
        let expected =
            ["logging_steps", "eval_steps", "save_steps"].map(|key| state[key].as_f64().unwrap() as usize);
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn the_steps_of_an_epoch_and_of_a_run_match_transformers() {
    let cases = fixture("epochs");
    assert_eq!(cases.len(), 72);
    for case in cases {
        let (config, num_examples) = (settings(&case["settings"]), number(&case["num_examples"]));
        let found = (config.steps_per_epoch(num_examples), config.total_steps(num_examples));
        assert_eq!(found, (number(&case["steps_per_epoch"]), number(&case["max_steps"])), "{case}");
    }
}

#[test]
fn a_schedule_with_wrong_settings_is_an_error() {
    let lr_scheduler_kwargs = [("power".to_owned(), 2.0.into())].into();
    let config = TrainConfig { lr_scheduler_kwargs, ..TrainConfig::default() };
    let error = config.schedule(10).unwrap_err().to_string();
    assert_eq!(error, "lr_scheduler_kwargs is power=2; it must be empty for linear");
    let polynomial = TrainConfig { lr_scheduler_type: LrSchedulerType::Polynomial, ..config };
    assert!(polynomial.schedule(10).is_ok());
}
