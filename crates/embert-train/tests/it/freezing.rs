//! Freezing: frozen parameters do not change.

use burn::module::Module;
use embert_train::{Event, Snapshot, TrainConfig, TrainError, fit};

use crate::tiny::{self, Examples, named_weights};

fn config(freeze: &[&str], unfreezing: &[&str]) -> TrainConfig {
    TrainConfig {
        num_train_epochs: 3.0,
        learning_rate: 1e-3,
        weight_decay: 0.1,
        freeze: freeze.iter().map(ToString::to_string).collect(),
        gradual_unfreezing: unfreezing.iter().map(|entry| entry.parse().unwrap()).collect(),
        ..TrainConfig::default()
    }
}

fn error_of(config: &TrainConfig) -> TrainError {
    fit(tiny::model(0.0), Examples::new(8).train_only(), config, &mut tiny::ignore).unwrap_err()
}

/// Trains and returns the names of the parameters that changed.
fn changed(config: &TrainConfig) -> Vec<String> {
    let (before, examples) = (tiny::model(0.1), Examples::new(20));
    let after = fit(before.clone(), examples.train_only(), config, &mut tiny::ignore).unwrap().model;
    let after = named_weights(&after);
    named_weights(&before)
        .into_iter()
        .filter(|(name, values)| after[name] != *values)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn frozen_parameters_do_not_change_and_the_others_do() {
    let changed_names = changed(&config(&["bert.embeddings", "bert.encoder.layer.0", "*.bias"], &[]));
    assert!(changed_names.iter().all(|name| name.ends_with(".weight")), "{changed_names:?}");
    let in_layer_1 = changed_names.iter().filter(|name| name.contains("layer.1.")).count();
    assert_eq!((in_layer_1, changed_names.len()), (8, 10)); // 10: with the weights of pooler and classifier
}

#[test]
fn parameters_change_from_their_epoch_on() {
    let examples = Examples::new(20);
    let config = TrainConfig {
        save_strategy: embert_train::IntervalStrategy::Epoch,
        ..config(&["bert"], &["1:bert.encoder.layer.1", "2:bert.encoder.layer.0"])
    };
    let start = named_weights(&tiny::model(0.1));
    let (mut layers_changed, mut unfrozen) = (vec![], vec![]);
    fit(tiny::model(0.1), examples.train_only(), &config, &mut |event| {
        match event {
            Event::CheckpointDue(Snapshot { model, .. }) => {
                let now = named_weights(model);
                let has_changed = |part: &str| {
                    now.iter().any(|(name, values)| name.contains(part) && start[name] != *values)
                };
                layers_changed
                    .push(["classifier", "layer.1", "layer.0", "embeddings", "pooler"].map(has_changed));
            }
            Event::Unfrozen { epoch, num_trainable_parameters } => {
                unfrozen.push((epoch, num_trainable_parameters))
            }
            _ => {}
        }
        tiny::CONTINUE
    })
    .unwrap();
    assert_eq!(
        layers_changed,
        [
            [true, false, false, false, false],
            [true, true, false, false, false],
            [true, true, true, false, false]
        ]
    );
    let (classifier, layer) = (32 * 2 + 2, 4 * (32 * 32 + 32) + 2 * (32 * 64) + 64 + 32 + 4 * 32);
    assert_eq!(unfrozen, [(1, classifier + layer), (2, classifier + 2 * layer)]);
}

#[test]
fn parameters_frozen_by_the_caller_stay_frozen() {
    let examples = Examples::new(20);
    let mut model = tiny::model(0.1);
    model.base_model = model.base_model.no_grad();
    let before = named_weights(&model);
    let config = config(&["classifier.bias"], &["1:bert"]);
    let after = named_weights(&fit(model, examples.train_only(), &config, &mut tiny::ignore).unwrap().model);
    let changed = after.into_iter().filter(|(name, values)| before[name] != *values).map(|(name, _)| name);
    assert_eq!(changed.collect::<Vec<_>>(), ["classifier.weight"]);
}

#[test]
fn the_error_of_an_unknown_pattern_lists_the_modules() {
    let expected = "freeze: no parameter name matches \"encoder.layer.0\"; modules are \
                    bert.embeddings.word_embeddings, bert.embeddings.position_embeddings, \
                    bert.embeddings.token_type_embeddings, bert.embeddings.LayerNorm, bert.encoder.layer.0, \
                    bert.encoder.layer.1, bert.pooler.dense, classifier, and * matches any characters";
    assert_eq!(error_of(&config(&["bert.embeddings", "encoder.layer.0"], &[])).to_string(), expected);
    let error = error_of(&config(&[], &["1:bert.encoder.layer.2"])).to_string();
    assert!(
        error.starts_with("gradual_unfreezing: no parameter name matches \"bert.encoder.layer.2\""),
        "{error}"
    );
}

#[test]
fn freezing_all_parameters_is_an_error() {
    assert!(matches!(error_of(&config(&["bert", "classifier"], &[])), TrainError::NothingToTrain));
    assert!(matches!(error_of(&config(&[], &["1:*"])), TrainError::NothingToTrain));
}
