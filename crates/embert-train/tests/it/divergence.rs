//! Runs whose loss, gradients or weights are not finite.

use embert_train::{ClassWeights, Event, IntervalStrategy, Loss, Snapshot, TrainConfig, TrainError, fit};

use crate::run::config;
use crate::tiny::{self, Examples};

#[test]
fn a_diverging_run_stops_before_the_weights_change() {
    let examples = Examples::new(20);
    let config = TrainConfig {
        learning_rate: 1e15,
        save_strategy: IntervalStrategy::Steps,
        save_steps: 1.into(),
        ..config()
    };
    let mut last_saved = None;
    let error = fit(tiny::model(0.0), examples.train_only(), &config, &mut |event| {
        if let Event::CheckpointDue(Snapshot { state, model, .. }) = event {
            last_saved = Some((state.step(), tiny::weights(model)));
        }
        tiny::CONTINUE
    })
    .unwrap_err();
    let TrainError::Diverged { step, loss, grad_norm, .. } = error else { panic!("{error}") };
    assert!(!loss.is_finite() || !grad_norm.is_finite());
    let (saved_step, weights) = last_saved.unwrap();
    assert_eq!(saved_step + 1, step);
    assert!(weights.iter().flatten().all(|weight| weight.is_finite()));
}

#[test]
fn fp16_skips_steps_with_overflowing_gradients() {
    let examples = Examples::new(20);
    let config =
        TrainConfig { fp16: true, save_strategy: IntervalStrategy::Steps, save_steps: 1.into(), ..config() };
    let model = tiny::overflowing(0.0);
    let mut weights = vec![tiny::weights(&model)];
    let mut steps = vec![];
    fit(model, examples.train_only(), &config, &mut |event| {
        match event {
            Event::Step(log) => steps.push((log.grad_norm.is_finite(), log.learning_rate)),
            Event::CheckpointDue(Snapshot { model, .. }) => weights.push(tiny::weights(model)),
            _ => {}
        }
        tiny::CONTINUE
    })
    .unwrap();
    let skipped = steps.iter().take_while(|(is_finite, _)| !is_finite).count();
    assert!(skipped > 0 && steps[skipped..].iter().all(|(is_finite, _)| *is_finite), "{steps:?}");
    for (step, pair) in weights.windows(2).enumerate() {
        assert_eq!(pair[0] == pair[1], step < skipped, "step {step} of {skipped}");
    }
    // As in transformers, skipped steps do not advance the schedule.
    assert!(steps[..=skipped].iter().all(|(_, rate)| *rate == config.learning_rate), "{steps:?}");
}

#[test]
fn a_nan_weight_stops_the_first_step() {
    let examples = Examples::new(20);
    let mut model = tiny::model(0.0);
    let bias = &mut model.head.classifier.bias;
    *bias = bias.take().map(|bias| bias.map(|bias| bias * f32::NAN));
    let mut steps = 0;
    let error = fit(model, examples.train_only(), &config(), &mut |event| {
        steps += usize::from(matches!(event, Event::Step(_)));
        tiny::CONTINUE
    })
    .unwrap_err();
    assert_eq!(steps, 0);
    let message = error.to_string();
    assert!(message.starts_with("training diverged at step 1: loss NaN, gradient norm NaN"), "{message}");
}

#[test]
fn steps_on_rows_of_weight_zero_have_loss_zero_and_no_gradient() {
    let weights = |weights: [f64; 2]| ClassWeights::List(weights.to_vec());
    let base = TrainConfig {
        per_device_train_batch_size: 1,
        gradient_accumulation_steps: 1,
        class_weights: weights([0.0, 1.0]),
        ..config()
    };
    let focal = Loss::Focal;
    for config in [
        base.clone(),
        TrainConfig { class_weights: weights([1e-30, 0.0]), ..base.clone() },
        TrainConfig { class_weights: weights([0.0, 1e30]), ..base.clone() },
        TrainConfig { label_smoothing_factor: 0.1, ..base.clone() },
        TrainConfig { loss: focal, ..base.clone() },
        TrainConfig { gradient_checkpointing: true, ..base.clone() },
        TrainConfig { fp16: true, ..base.clone() },
        TrainConfig { gradient_accumulation_steps: 2, ..base.clone() },
        TrainConfig { gradient_accumulation_steps: 2, gradient_checkpointing: true, loss: focal, ..base },
    ] {
        let examples = Examples::new(20); // ten of each label
        let mut steps = vec![];
        let fitted = fit(tiny::model(0.0), examples.train_only(), &config, &mut |event| {
            if let Event::Step(log) = event {
                steps.push((log.loss, log.grad_norm));
            }
            tiny::CONTINUE
        });
        let weights = tiny::weights(&fitted.unwrap().model);
        assert!(weights.iter().flatten().all(|weight| weight.is_finite()), "{config:?}");
        let is_zero = |&&(loss, grad_norm): &&(f64, f64)| loss == 0.0 && grad_norm == 0.0;
        let (zeros, rest): (Vec<_>, Vec<_>) = steps.iter().partition(is_zero);
        assert!(rest.iter().all(|(loss, grad_norm)| *loss > 0.0 && *grad_norm > 0.0), "{steps:?}");
        let is_single = config.gradient_accumulation_steps == 1;
        assert!(!is_single || zeros.len() * 2 == steps.len(), "{config:?}: {steps:?}");
    }
}
