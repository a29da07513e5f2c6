//! Layer-wise learning rates and gradual unfreezing, compared with PyTorch.

use embert_train::{Event, TrainConfig, fit};

use crate::golden::Golden;
use crate::tiny::{self, Examples, has_gradient, model_fixtures, named_weights, read_model};

/// The settings of `fixtures/generate_parts.py`. An epoch has one step.
fn config() -> TrainConfig {
    TrainConfig {
        learning_rate: 1e-3,
        layer_wise_lr_decay: 0.7,
        weight_decay: 0.01,
        warmup_steps: 2.into(),
        num_train_epochs: 10.0,
        freeze: vec!["*".to_owned()],
        gradual_unfreezing: ["0:classifier", "4:bert.encoder.layer.1", "7:bert"]
            .map(|entry| entry.parse().unwrap())
            .to_vec(),
        ..TrainConfig::default()
    }
}

#[track_caller]
fn check(config: &TrainConfig) {
    let (examples, golden) = (Examples::new(8), Golden::open("parts.safetensors"));
    let (mut losses, mut grad_norms) = (vec![], vec![]);
    let fitted =
        fit(read_model(&model_fixtures().join("tiny_bert")), examples.train_only(), config, &mut |event| {
            if let Event::Step(step) = event {
                losses.push(step.loss);
                grad_norms.push(step.grad_norm);
            }
            tiny::CONTINUE
        })
        .unwrap();
    for (name, found) in [("losses", losses), ("grad_norms", grad_norms)] {
        let expected = golden.floats(name);
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            let difference = (found - f64::from(expected)).abs();
            assert!(
                difference < 1e-4 * f64::from(expected),
                "{name} of step {step}: {found}, not {expected}"
            );
        }
    }
    for (name, values) in named_weights(&fitted.model).into_iter().filter(|(name, _)| has_gradient(name)) {
        let difference = tiny::largest_difference(&[values], &[golden.floats(&format!("final.{name}"))]);
        assert!(difference < 2e-5, "{name} differs by {difference}"); // 2 % of one step
    }
}

#[test]
fn layer_wise_rates_and_gradual_unfreezing_match_pytorch() {
    check(&config());
}

#[test]
fn gradient_checkpointing_with_frozen_layers_matches_pytorch() {
    check(&TrainConfig { gradient_checkpointing: true, ..config() });
}
