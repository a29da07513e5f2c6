//! Gradient accumulation and data parallelism equal one large batch.

use burn::tensor::Device;
use embert_train::{Event, Fitted, IntervalStrategy, TrainConfig, TrainData, TrainSamplingStrategy, fit};

use crate::tiny::{self, Examples};

/// Float32 sums in another order differ by about 1e-7 in each step.
const TOLERANCE: f64 = 1e-6;

/// Trains and returns the loss of every step.
fn train(config: &TrainConfig, dropout: f64, replicas: &[Device]) -> (Vec<f64>, Fitted) {
    let examples = Examples::new(22); // windows of 8; the last has 6
    let mut losses = Vec::new();
    let data = TrainData { replicas, ..examples.train_only() };
    let fitted = fit(tiny::model(dropout), data, config, &mut |event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
        tiny::CONTINUE
    });
    (losses, fitted.unwrap())
}

pub(crate) fn config(batch_size: usize, accumulation: usize) -> TrainConfig {
    TrainConfig {
        per_device_train_batch_size: batch_size,
        gradient_accumulation_steps: accumulation,
        num_train_epochs: 2.0,
        learning_rate: 1e-4,
        save_strategy: IntervalStrategy::No,
        ..TrainConfig::default()
    }
}

#[track_caller]
pub(crate) fn check_equal(large: &TrainConfig, small: &TrainConfig, dropout: f64) {
    assert_equal(&train(large, dropout, &[]), &train(small, dropout, &[]));
}

#[track_caller]
fn assert_equal((large_losses, large): &(Vec<f64>, Fitted), (small_losses, small): &(Vec<f64>, Fitted)) {
    assert_eq!(large_losses.len(), 6);
    for (step, (large, small)) in large_losses.iter().zip(small_losses).enumerate() {
        assert!((large - small).abs() < TOLERANCE, "step {step}: {large} and {small}");
    }
    let (mut large_weights, small_weights) =
        (tiny::named_weights(&large.model), tiny::named_weights(&small.model));
    large_weights.retain(|name, _| tiny::has_gradient(name));
    for (name, values) in large_weights {
        let difference = tiny::largest_difference(&[values], std::slice::from_ref(&small_weights[&name]));
        assert!(f64::from(difference) < TOLERANCE, "{name} differs by {difference}");
    }
    assert_eq!(large.report.epoch, small.report.epoch);
}

#[test]
fn accumulation_equals_one_large_batch() {
    check_equal(&config(8, 1), &config(2, 4), 0.0);
}

#[test]
fn accumulation_equals_one_large_batch_with_dropout() {
    check_equal(&config(8, 1), &config(2, 4), 0.3);
}

#[test]
fn an_incomplete_last_window_equals_one_smaller_batch() {
    check_equal(&config(8, 1), &config(4, 2), 0.3);
}

#[test]
fn accumulation_equals_one_large_batch_with_smoothing_and_class_weights() {
    let weighted = |config| TrainConfig {
        label_smoothing_factor: 0.1,
        class_weights: embert_train::ClassWeights::List(vec![0.5, 2.0]),
        ..config
    };
    check_equal(&weighted(config(8, 1)), &weighted(config(2, 4)), 0.3);
}

#[test]
fn accumulation_equals_one_large_batch_with_length_groups() {
    let grouped =
        |config| TrainConfig { train_sampling_strategy: TrainSamplingStrategy::GroupByLength, ..config };
    check_equal(&grouped(config(8, 1)), &grouped(config(2, 4)), 0.3);
}

/// All devices are the same CPU, but each has its own weights, autodiff graph and thread.
#[test]
fn data_parallelism_equals_one_device() {
    for config in [config(8, 1), config(2, 4), config(4, 2)] {
        let config =
            TrainConfig { gradient_checkpointing: config.gradient_accumulation_steps == 2, ..config };
        let one_device = train(&config, 0.3, &[]);
        for replicas in 1..4 {
            let replicas = vec![Device::flex().autodiff(); replicas];
            assert_equal(&one_device, &train(&config, 0.3, &replicas));
        }
    }
}
