//! Micro-batches make one large batch, on one device or on several.

use burn::tensor::Device;
use embert_train::{Event, Fitted, IntervalStrategy, TrainConfig, TrainData, TrainSamplingStrategy, fit};

use crate::tiny::{self, Examples};

/// The sums of a step are added in another order: float32 in forward and backward, some 1e-7 a step.
const TOLERANCE: f64 = 1e-6;

/// Trains and returns the loss of every step.
fn train(config: &TrainConfig, dropout: f64, replicas: &[Device]) -> (Vec<f64>, Fitted) {
    let examples = Examples::new(22); // windows of 8: the last holds 6
    let mut losses = Vec::new();
    let data = TrainData { replicas, ..examples.train_only() };
    let fitted = fit(tiny::model(dropout), data, config, &mut |event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
        tiny::GO_ON
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
fn accumulation_is_one_large_batch() {
    check_equal(&config(8, 1), &config(2, 4), 0.0);
}

#[test]
fn accumulation_is_one_large_batch_with_dropout() {
    check_equal(&config(8, 1), &config(2, 4), 0.3);
}

#[test]
fn micro_batches_that_do_not_divide_the_last_window_change_nothing() {
    check_equal(&config(8, 1), &config(4, 2), 0.3);
}

#[test]
fn accumulation_is_one_large_batch_with_smoothing_and_class_weights() {
    let weighted = |config| TrainConfig {
        label_smoothing_factor: 0.1,
        class_weights: embert_train::ClassWeights::List(vec![0.5, 2.0]),
        ..config
    };
    check_equal(&weighted(config(8, 1)), &weighted(config(2, 4)), 0.3);
}

#[test]
fn accumulation_is_one_large_batch_with_length_groups() {
    let grouped =
        |config| TrainConfig { train_sampling_strategy: TrainSamplingStrategy::GroupByLength, ..config };
    check_equal(&grouped(config(8, 1)), &grouped(config(2, 4)), 0.3);
}

/// There is but one CPU: it stands for each of the devices, which still have weights, tapes and threads of their own.
#[test]
fn several_devices_make_the_steps_of_one() {
    for config in [config(8, 1), config(2, 4), config(4, 2)] {
        let config =
            TrainConfig { gradient_checkpointing: config.gradient_accumulation_steps == 2, ..config };
        let alone = train(&config, 0.3, &[]);
        for replicas in 1..4 {
            let replicas = vec![Device::flex().autodiff(); replicas];
            assert_equal(&alone, &train(&config, 0.3, &replicas));
        }
    }
}
