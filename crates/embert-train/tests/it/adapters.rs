//! Training adapters.

use embert_model::{Adapter, InitLoraWeights, LoraConfig, ModuleNames, add_adapter, count_parameters};
use embert_train::{BackwardOptions, Event, Fitted, TrainConfig, fit};

use crate::golden::{Golden, check, ten_steps_of};
use crate::tiny::{self, Examples, largest_difference, model_fixtures, named_weights, read_model};

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

/// Returns the settings of plain LoRA, DoRA and PiSSA.
fn kinds() -> [LoraConfig; 3] {
    let (plain, init_lora_weights) = (lora(None), InitLoraWeights::Pissa);
    [plain.clone(), LoraConfig { use_dora: true, ..plain.clone() }, LoraConfig { init_lora_weights, ..plain }]
}

#[test]
fn only_adapters_and_the_head_change() {
    kinds().iter().for_each(check_changes);
}

fn check_changes(lora: &LoraConfig) {
    let before = add_adapter(tiny::model(0.1), lora, 1).unwrap();
    let (trainable, fitted) = train(lora, &config());
    assert_eq!(trainable, count_parameters(&before).trainable);
    let (before, after) = (tiny::named_weights(&before), tiny::named_weights(&fitted.model));
    for (name, values) in before {
        let is_trained = name.contains(".lora_") || name.starts_with("classifier.");
        assert_eq!(values != after[&name], is_trained, "{name}");
    }
}

#[test]
fn gradient_checkpointing_gives_bit_identical_adapters() {
    let in_layers = [None, Some(vec![0]), Some(vec![1])].map(lora);
    for lora in in_layers.into_iter().chain(kinds()) {
        let (_, plain) = train(&lora, &config());
        let (_, again) = train(&lora, &TrainConfig { gradient_checkpointing: true, ..config() });
        assert!(tiny::weights(&plain.model) == tiny::weights(&again.model));
    }
}

#[test]
fn ten_steps_equal_those_of_peft() {
    let (batch, golden) = (Golden::read().batch(), Golden::of_model("peft.safetensors"));
    for case in ["dora", "dora_dense", "pissa", "olora"] {
        let adapter = Adapter::open(&model_fixtures().join("peft").join(case)).unwrap();
        let model = adapter.load(read_model(&model_fixtures().join("tiny_bert")), &[]).unwrap();
        let window = std::slice::from_ref(&batch);
        let found = ten_steps_of(model, window, BackwardOptions::default(), TrainConfig::default());
        check(&golden, &format!("{case}.losses"), &found.losses, |_| 1e-4);
        check(&golden, &format!("{case}.grad_norms"), &found.grad_norms, |expected| 1e-4 * expected);
        for (name, values) in
            named_weights(&found.model).into_iter().filter(|(name, _)| name.contains(".lora_"))
        {
            let expected = golden.floats(&format!("{case}.final.base_model.model.{name}"));
            let difference = largest_difference(&[values], &[expected]);
            assert!(difference < 1e-4, "{case}: {name} differs by {difference}");
        }
    }
}
