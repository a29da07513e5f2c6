//! Ten steps of AdamW on a tiny BERT, as transformers and PyTorch make them.

use std::fs;

use burn::module::Module;
use embert_model::{BertForSequenceClassification, Pass};
use embert_text::TokenBatch;
use embert_train::{AdamW, CrossEntropy, LabelledBatch, TrainConfig, clip_coefficient, step_gradients};
use safetensors::{Dtype, SafeTensors};

use crate::tiny::{has_gradient, model_fixtures, named_weights, read_model};

/// What transformers computed.
pub(crate) struct Golden(Vec<u8>);

impl Golden {
    pub(crate) fn read() -> Self {
        Self(fs::read(model_fixtures().join("golden.safetensors")).unwrap())
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), Dtype::F32);
        tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    pub(crate) fn integers(&self, name: &str) -> Vec<usize> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), Dtype::I64);
        let numbers =
            tensor.data().chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()));
        numbers.map(|number| usize::try_from(number).unwrap()).collect()
    }

    fn batch(&self) -> LabelledBatch {
        let lengths = self.integers("lengths");
        let tokens = TokenBatch {
            ids: self.integers("input_ids").into_iter().map(|id| id as u32).collect(),
            rows: (0..lengths.len()).collect(),
            lengths,
            padded_to: None,
        };
        LabelledBatch { tokens, labels: self.integers("labels") }
    }
}

struct TenSteps {
    losses: Vec<f64>,
    grad_norms: Vec<f64>,
    learning_rates: Vec<f64>,
    model: BertForSequenceClassification,
}

fn ten_steps(window: &[LabelledBatch]) -> TenSteps {
    let config =
        TrainConfig { learning_rate: 1e-3, weight_decay: 0.01, warmup_steps: 2, ..TrainConfig::default() };
    let mut model = read_model(&model_fixtures().join("tiny_bert")).train();
    let loss = CrossEntropy::new(&config, &window[0].labels, 3).unwrap();
    let schedule = config.schedule(10);
    let mut optimizer = AdamW::new(&config);
    let (mut losses, mut grad_norms, mut learning_rates) = (vec![], vec![], vec![]);
    for step in 0..10 {
        let found = step_gradients(&model, window, &loss, Pass::default(), false);
        losses.push(found.loss);
        grad_norms.push(found.grad_norm);
        learning_rates.push(schedule.learning_rate(step));
        let scale = clip_coefficient(found.grad_norm, config.max_grad_norm);
        model = optimizer.step(model, found.gradients, scale, schedule.learning_rate(step));
    }
    TenSteps { losses, grad_norms, learning_rates, model }
}

#[track_caller]
fn check(name: &str, found: &[f64], tolerance: impl Fn(f64) -> f64) {
    let expected = Golden::read().floats(name);
    assert_eq!(found.len(), expected.len());
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        let expected = f64::from(expected);
        let difference = (found - expected).abs();
        assert!(difference <= tolerance(expected), "{name} of step {step} is {found}, not {expected}");
    }
}

#[test]
fn ten_losses_and_gradient_norms_are_those_of_transformers() {
    let found = ten_steps(&[Golden::read().batch()]);
    check("losses", &found.losses, |_| 1e-4);
    check("grad_norms", &found.grad_norms, |expected| 1e-4 * expected);
    check("learning_rates", &found.learning_rates, |_| 1e-9);
}

#[test]
fn weights_after_ten_steps_are_those_of_transformers() {
    let golden = Golden::read();
    let mut found = named_weights(&ten_steps(&[golden.batch()]).model);
    assert_eq!(found.len(), 41);
    found.retain(|name, _| has_gradient(name));
    for (name, values) in found {
        let difference =
            crate::tiny::largest_difference(&[values], &[golden.floats(&format!("final.{name}"))]);
        // Five per cent of one step: where a gradient is near AdamW's ε, its rounding shows.
        assert!(difference < 5e-5, "{name} differs by {difference}");
    }
}
