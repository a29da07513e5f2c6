//! Finds the largest batch size that fits into memory, by the heaviest micro-batch of a run.

use crate::config::TrainConfig;

/// Returns the rows of the micro-batch with the most tokens, over all epochs. `lengths` has the tokens of each text.
pub fn heaviest_micro_batch(lengths: &[usize], config: &TrainConfig) -> Vec<usize> {
    let num_epochs = config.total_steps(lengths.len()).div_ceil(config.steps_per_epoch(lengths.len()).max(1));
    let windows = (0..num_epochs as u64).flat_map(|epoch| config.windows(lengths, epoch));
    let num_tokens = |rows: &Vec<usize>| rows.iter().map(|&row| lengths[row]).sum::<usize>();
    let heaviest_of = |window: Vec<usize>| {
        let micro_batches = window.chunks(config.per_device_train_batch_size);
        micro_batches.map(<[usize]>::to_vec).max_by_key(num_tokens)
    };
    windows.filter_map(heaviest_of).max_by_key(num_tokens).unwrap_or_default()
}

/// Returns the settings with the largest batch size that `fits`. `fits` gets the tokens of the heaviest micro-batch.
///
/// Splits a micro-batch into as few equal parts as possible, and multiplies `gradient_accumulation_steps` by their
/// number, so that each optimizer step has the same rows. If no size fits, the batch size is 1. With
/// `dataloader_drop_last`, smaller micro-batches drop fewer rows; [`TrainConfig::validate`] rejects it together with
/// `auto_find_batch_size`.
pub fn find_batch_size(lengths: &[usize], config: &TrainConfig, fits: impl Fn(usize) -> bool) -> TrainConfig {
    let batch_size = config.per_device_train_batch_size;
    let split = |parts: usize| TrainConfig {
        per_device_train_batch_size: batch_size / parts,
        gradient_accumulation_steps: config.gradient_accumulation_steps * parts,
        auto_find_batch_size: false,
        ..config.clone()
    };
    let num_tokens = |config: &TrainConfig| -> usize {
        heaviest_micro_batch(lengths, config).iter().map(|&row| lengths[row]).sum()
    };
    let mut sizes = (1..=batch_size).filter(|parts| batch_size.is_multiple_of(*parts)).map(split);
    sizes.find(|config| fits(num_tokens(config))).unwrap_or_else(|| split(batch_size))
}
