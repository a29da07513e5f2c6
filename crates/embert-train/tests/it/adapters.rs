//! Training adapters.

use embert_model::{LoraConfig, ModuleNames, add_adapter, count_parameters};
use embert_train::{Event, Fitted, TrainConfig, fit};

use crate::tiny::{self, Examples};

fn lora(layers_to_transform: Option<Vec<usize>>) -> LoraConfig {
    let modules = ["query", "value", "output.dense"].map(String::from).to_vec();
    let target_modules = Some(ModuleNames::Names(modules));
    LoraConfig { r: 2, lora_dropout: 0.2, target_modules, layers_to_transform, ..LoraConfig::default() }
}

/// Trains. Returns the number of trainable values in the plan, and the result.
fn train(lora: &LoraConfig, config: &TrainConfig) -> (usize, Fitted) {
    let (examples, mut trainable) = (Examples::new(22), 0);
    let model = add_adapter(tiny::model(0.1), lora, 1).unwrap();
    let fitted = fit(model, examples.train_only(), config, &mut |event| {
        if let Event::Started(plan) = event {
            trainable = plan.num_trainable_parameters;
        }
        tiny::CONTINUE
    });
    (trainable, fitted.unwrap())
}

fn config() -> TrainConfig {
    TrainConfig { learning_rate: 1e-2, num_train_epochs: 2.0, weight_decay: 0.1, ..TrainConfig::default() }
}

#[test]
fn only_adapters_and_the_head_change() {
    let lora = lora(None);
    let before = add_adapter(tiny::model(0.1), &lora, 1).unwrap();
    let (trainable, fitted) = train(&lora, &config());
    assert_eq!(trainable, count_parameters(&before).trainable);
    let (before, after) = (tiny::named_weights(&before), tiny::named_weights(&fitted.model));
    for (name, values) in before {
        let is_trained = name.contains(".lora_") || name.starts_with("classifier.");
        assert_eq!(values != after[&name], is_trained, "{name}");
    }
}

#[test]
fn gradient_checkpointing_gives_bit_identical_adapters() {
    for layers in [None, Some(vec![0]), Some(vec![1])] {
        let (_, plain) = train(&lora(layers.clone()), &config());
        let (_, again) = train(&lora(layers), &TrainConfig { gradient_checkpointing: true, ..config() });
        assert!(tiny::weights(&plain.model) == tiny::weights(&again.model));
    }
}
