//! What a run is said to take, by counts, and micro-batches that were cut to fit.

use burn::tensor::Device;
use embert_model::{AutoConfig, BERT, EncoderConfig, LoraConfig, ModuleNames, Parameter, parameter_shapes};
use embert_train::{MemoryEstimate, MemoryWorkload, TrainConfig, estimate_memory, find_batch_size};

use crate::accumulation::{check_equal, config};

/// Of 256 tokens each.
const LENGTHS: [usize; 64] = [256; 64];

fn bert() -> AutoConfig {
    AutoConfig::new(&BERT, EncoderConfig::default())
}

fn shapes(lora: Option<&LoraConfig>) -> Vec<Parameter> {
    parameter_shapes(&bert(), lora, &Device::flex()).unwrap()
}

fn with_workload<T>(parameters: &[Parameter], work: impl FnOnce(&MemoryWorkload<'_>) -> T) -> T {
    let model_config = &bert();
    let lengths = &LENGTHS;
    work(&MemoryWorkload {
        model_config,
        parameters,
        train_lengths: lengths,
        eval_lengths: lengths,
        max_length: 256,
    })
}

fn estimate(change: impl FnOnce(&mut TrainConfig)) -> MemoryEstimate {
    let mut config = TrainConfig { per_device_train_batch_size: 16, ..TrainConfig::default() };
    change(&mut config);
    with_workload(&shapes(None), |workload| estimate_memory(workload, &config)).unwrap()
}

#[test]
fn a_full_run_holds_weights_and_two_moments_of_each() {
    let estimate = estimate(|_| ());
    let megabytes = 109_483_778.0 * 4.0 / 1e6;
    let parameters = estimate.parameters as f64 / 1e6;
    assert!((megabytes..1.1 * megabytes).contains(&parameters), "{parameters} MB");
    assert_eq!(estimate.optimizer_state / 1000, 2 * estimate.parameters / 1000);
    // 11 layers of 12 widths of 768 for each of 4096 tokens
    let kept = 11.0 * 12.0 * 768.0 * 4096.0 * 4.0 / 1e6;
    let activations = estimate.activations as f64 / 1e6;
    assert!((kept..1.3 * kept).contains(&activations), "{activations} MB");
    assert_eq!(estimate.best_model, 0);
}

#[test]
fn each_setting_that_saves_memory_is_seen_to_and_each_that_takes_some() {
    let total = |change: fn(&mut TrainConfig)| estimate(change).total();
    let plain = total(|_| ());
    assert!(total(|config| config.per_device_train_batch_size = 8) < plain);
    assert!(total(|config| config.gradient_checkpointing = true) < plain);
    assert!(total(|config| config.freeze = vec!["bert.embeddings".into()]) < plain);
    assert!(total(|config| config.load_best_model_at_end = true) > plain);
    let evaluating = |config: &mut TrainConfig| config.per_device_eval_batch_size = 512;
    assert_eq!(total(evaluating), plain, "there are but 64 texts");
    assert!(total(|config| config.gradient_accumulation_steps = 2) > plain, "gradients wait for others");
}

#[test]
fn what_is_frozen_for_good_has_no_optimizer_state_and_what_unfreezes_late_has() {
    let late = |entry: &str| vec![entry.parse().unwrap()];
    let frozen = estimate(|config| config.freeze = vec!["bert".into()]);
    assert!(frozen.optimizer_state < 100_000, "{frozen:?}");
    let unfrozen = estimate(|config| config.gradual_unfreezing = late("2:bert"));
    assert_eq!(unfrozen.optimizer_state, estimate(|_| ()).optimizer_state);
    let unknown = TrainConfig { freeze: vec!["robert".into()], ..TrainConfig::default() };
    assert!(with_workload(&shapes(None), |workload| estimate_memory(workload, &unknown)).is_err());
}

#[test]
fn adapters_take_less_than_half_and_wide_ones_more_than_narrow_ones() {
    let lora = |r, modules: &[&str]| LoraConfig {
        r,
        target_modules: Some(ModuleNames::Names(modules.iter().map(|&name| name.into()).collect())),
        ..LoraConfig::default()
    };
    let total = |lora: &LoraConfig| {
        let config = TrainConfig::default();
        with_workload(&shapes(Some(lora)), |workload| estimate_memory(workload, &config)).unwrap().total()
    };
    let narrow = total(&lora(4, &["query", "key"]));
    let full = estimate(|config| config.per_device_train_batch_size = 8).total();
    assert!(2 * narrow < full + full / 10, "{narrow} of {full}");
    assert!(total(&lora(64, &["query", "key"])) > narrow);
    assert!(total(&lora(4, &["output.dense"])) > narrow, "gelu's output is kept for them");
}

#[test]
fn batches_are_cut_as_little_as_will_do() {
    let parameters = shapes(None);
    let config = TrainConfig {
        per_device_train_batch_size: 12,
        gradient_accumulation_steps: 3,
        auto_find_batch_size: true,
        ..TrainConfig::default()
    };
    let total = |batch_size, steps| {
        let config = TrainConfig {
            per_device_train_batch_size: batch_size,
            gradient_accumulation_steps: steps,
            ..config.clone()
        };
        with_workload(&parameters, |workload| estimate_memory(workload, &config)).unwrap().total()
    };
    let found = |available| {
        let found =
            with_workload(&parameters, |workload| find_batch_size(workload, &config, available)).unwrap();
        assert!(!found.auto_find_batch_size);
        (found.per_device_train_batch_size, found.gradient_accumulation_steps)
    };
    assert_eq!(found(u64::MAX), (12, 3));
    assert_eq!(found(total(12, 3)), (12, 3));
    assert_eq!(found(total(12, 3) - 1), (6, 6));
    assert_eq!(found(total(4, 9)), (4, 9));
    assert_eq!(found(total(4, 9) - 1), (3, 12));
    assert_eq!(found(0), (1, 36));
}

/// With dropout, and 22 examples in windows of 8: the last holds 6.
#[test]
fn a_run_whose_batches_were_cut_has_the_losses_of_the_whole() {
    let parameters = shapes(None);
    let whole = TrainConfig { auto_find_batch_size: true, ..config(8, 1) };
    let total = |config: &TrainConfig| {
        with_workload(&parameters, |workload| estimate_memory(workload, config)).unwrap().total()
    };
    for expected in [config(4, 2), config(2, 4), config(1, 8)] {
        let available = total(&expected);
        let cut =
            with_workload(&parameters, |workload| find_batch_size(workload, &whole, available)).unwrap();
        assert_eq!(cut, expected);
        check_equal(&whole, &cut, 0.3);
    }
}
