//! Learning rates, compared with transformers' in `schedule.json`.

use embert_train::{LrSchedulerType, Schedule, TrainConfig};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/schedule.json")).unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn learning_rates_match_transformers() {
    for case in fixture()["schedules"].as_array().unwrap() {
        let kind: LrSchedulerType = serde_json::from_value(case["lr_scheduler_type"].clone()).unwrap();
        let schedule = Schedule {
            kind,
            learning_rate: case["learning_rate"].as_f64().unwrap(),
            warmup_steps: number(&case["num_warmup_steps"]),
            total_steps: number(&case["num_training_steps"]),
        };
        let rates: Vec<f64> = serde_json::from_value(case["rates"].clone()).unwrap();
        assert_eq!(rates.len(), schedule.total_steps + 1);
        for (step, expected) in rates.into_iter().enumerate() {
            let found = schedule.learning_rate(step);
            assert!(
                (found - expected).abs() < 1e-18,
                "{schedule:?}: step {step} has {found}, not {expected}"
            );
        }
    }
}

#[test]
fn the_steps_of_a_warmup_ratio_match_transformers() {
    for case in fixture()["warmup_ratios"].as_array().unwrap() {
        let config =
            TrainConfig { warmup_ratio: case["warmup_ratio"].as_f64().unwrap(), ..TrainConfig::default() };
        let schedule = config.schedule(number(&case["num_training_steps"]));
        assert_eq!(schedule.warmup_steps, number(&case["num_warmup_steps"]), "{case}");
    }
}

#[test]
fn warmup_steps_override_warmup_ratio() {
    let config = TrainConfig { warmup_steps: 7, warmup_ratio: 0.5, ..TrainConfig::default() };
    assert_eq!(config.schedule(100).warmup_steps, 7);
}
