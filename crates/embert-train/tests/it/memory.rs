//! The heaviest micro-batch, trial steps and `find_batch_size`.

use std::collections::BTreeSet;

use burn::module::Module;
use embert_train::{TrainConfig, find_batch_size, fit, heaviest_micro_batch, trial_step};

use crate::accumulation::{check_equal, config};
use crate::tiny::{self, Examples};

#[test]
fn the_heaviest_micro_batch_of_all_epochs_has_the_most_tokens() {
    let lengths = [3, 9, 4, 8, 5, 7, 6];
    let heaviest = |batch_size, steps, epochs| {
        let config = TrainConfig { num_train_epochs: epochs, ..config(batch_size, steps) };
        let rows = heaviest_micro_batch(&lengths, &config);
        (rows.len(), rows.iter().map(|&row| lengths[row]).sum::<usize>())
    };
    assert_eq!(heaviest(1, 3, 1.0), (1, 9));
    assert_eq!(heaviest(7, 1, 1.0), (7, 42));
    assert_eq!(heaviest(2, 2, 60.0), (2, 17), "the two longest share a micro-batch in one of 60 epochs");
    assert_eq!(heaviest_micro_batch(&[], &config(2, 1)), [0; 0]);
}

#[test]
fn a_trial_step_counts_all_values_that_ever_train() {
    let (examples, model) = (Examples::new(8), tiny::model(0.1));
    let trained = |change: fn(&mut TrainConfig)| {
        let mut config = config(4, 2);
        change(&mut config);
        trial_step(&model, &examples.train_only(), &config, &[&[0], &[0, 1, 2]])
    };
    let all = trained(|_| ()).unwrap();
    assert_eq!(all.trainable_values, model.num_params());
    let [vocab_size, columns] = model.embeddings().word_embeddings.weight.dims();
    let rows_without = |num_ids: usize| (vocab_size - num_ids) * columns;
    let read = examples.texts.num_distinct_ids();
    assert_eq!(all.trainable_values - all.moment_values, rows_without(read));
    let read_by_step = [0, 1, 2].map(|row| examples.texts.ids(row)).concat().into_iter();
    let read_by_step = read_by_step.collect::<BTreeSet<_>>().len();
    assert!(read_by_step < read && read < vocab_size, "{read_by_step}, {read}, {vocab_size}");
    assert_eq!(all.trainable_values - all.gradient_values, rows_without(read_by_step));

    assert_eq!(trained(|config| config.gradient_checkpointing = true).unwrap(), all);
    let frozen = trained(|config| config.freeze = vec!["bert.embeddings.word_embeddings".into()]).unwrap();
    assert_eq!(frozen.trainable_values, all.trainable_values - vocab_size * columns);
    assert_eq!([frozen.moment_values, frozen.gradient_values], [frozen.trainable_values; 2]);
    assert_eq!(trained(|config| config.gradual_unfreezing = vec!["1:bert".parse().unwrap()]).unwrap(), all);
    assert!(trained(|config| config.freeze = vec!["robert".into()]).is_err());
}

#[test]
fn a_trial_step_does_not_change_the_run() {
    let (examples, config) = (Examples::new(8), config(4, 1));
    let weights = |has_trial: bool| {
        let model = tiny::model(0.3);
        if has_trial {
            trial_step(&model, &examples.train_only(), &config, &[&[0, 1, 2, 3]]).unwrap();
        }
        let fitted = fit(model, examples.train_only(), &config, &mut |_| tiny::CONTINUE).unwrap();
        tiny::named_weights(&fitted.model)
    };
    assert_eq!(weights(true), weights(false));
}

#[test]
fn micro_batches_are_split_into_as_few_parts_as_possible() {
    let config = TrainConfig { auto_find_batch_size: true, ..config(12, 3) };
    let found = |most_tokens| {
        let found = find_batch_size(&[256; 64], &config, |tokens| tokens <= most_tokens);
        assert!(!found.auto_find_batch_size);
        (found.per_device_train_batch_size, found.gradient_accumulation_steps)
    };
    assert_eq!(found(usize::MAX), (12, 3));
    assert_eq!(found(12 * 256), (12, 3));
    assert_eq!(found(12 * 256 - 1), (6, 6));
    assert_eq!(found(4 * 256), (4, 9));
    assert_eq!(found(4 * 256 - 1), (3, 12));
    assert_eq!(found(0), (1, 36));
}

/// With dropout, and 22 examples in windows of 8; the last has 6.
#[test]
fn splitting_micro_batches_does_not_change_the_losses() {
    let unsplit = TrainConfig { auto_find_batch_size: true, ..config(8, 1) };
    for expected in [config(4, 2), config(2, 4), config(1, 8)] {
        let most = expected.per_device_train_batch_size;
        let split = find_batch_size(&[1; 22], &unsplit, |tokens| tokens <= most);
        assert_eq!(split, expected);
        check_equal(&unsplit, &split, 0.3);
    }
}
