//! Multi-label classification, regression and focal loss, compared with transformers and PyTorch in `tasks.safetensors`.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use embert_inference::{device_of, input_ids, sequence_layout};
use embert_model::{
    AutoModelForSequenceClassification, ForwardContext, Parameter, ParameterVisitor, visit_parameters,
};
use embert_train::{BackwardOptions, ClassWeights, LabelledBatch, Loss, Targets, TrainConfig};

use crate::golden::{Golden, TenSteps, check, ten_steps_of};
use crate::tiny::{has_gradient, largest_difference, model_fixtures, named_weights, read_model};

const POS_WEIGHT: [f64; 3] = [0.5, 3.0, 1.5];

/// A task of `generate_tasks.py`.
struct Case {
    name: &'static str,
    num_labels: usize,
    config: TrainConfig,
}

fn cases() -> [Case; 4] {
    let weighted =
        TrainConfig { pos_weight: ClassWeights::List(POS_WEIGHT.to_vec()), ..TrainConfig::default() };
    let case = |name, num_labels, config| Case { name, num_labels, config };
    [
        case("multi_label", 3, TrainConfig::default()),
        case("weighted_multi_label", 3, weighted),
        case("regression", 3, TrainConfig::default()),
        case("single_regression", 1, TrainConfig::default()),
    ]
}

fn golden() -> Golden {
    Golden::open("tasks.safetensors")
}

impl Case {
    /// Returns the tiny BERT with the first labels of its classifier.
    fn model(&self) -> AutoModelForSequenceClassification {
        let mut model = read_model(&model_fixtures().join("tiny_bert"));
        let classifier = &mut model.head.classifier;
        classifier.weight = classifier.weight.clone().map(|weight| weight.narrow(1, 0, self.num_labels));
        classifier.bias =
            classifier.bias.clone().map(|bias| bias.map(|bias| bias.narrow(0, 0, self.num_labels)));
        model
    }

    fn batch(&self, golden: &Golden) -> LabelledBatch {
        let rows = golden.floats(&self.key("targets")).chunks(self.num_labels).map(<[f32]>::to_vec).collect();
        LabelledBatch { targets: targets(self.name, rows), ..Golden::read().batch() }
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }

    fn ten_steps(&self, backward: BackwardOptions<'_>) -> TenSteps {
        ten_steps_of(self.model(), &[self.batch(&golden())], backward, self.config.clone())
    }
}

fn targets(name: &str, rows: Vec<Vec<f32>>) -> Targets {
    if name.ends_with("regression") { Targets::Values(rows) } else { Targets::MultiHot(multi_hot(rows)) }
}

fn multi_hot(rows: Vec<Vec<f32>>) -> Vec<Vec<bool>> {
    rows.into_iter().map(|row| row.into_iter().map(|target| target == 1.0).collect()).collect()
}

/// The gradients by transformers name, dense weights transposed to `[out, in]`.
struct Named {
    gradients: Gradients,
    found: BTreeMap<String, Vec<f32>>,
}

impl ParameterVisitor for Named {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.grad(&self.gradients) else { return };
        let is_dense = D == 2 && !parameter.name.contains("embeddings.");
        let gradient = if is_dense { gradient.swap_dims(0, 1) } else { gradient };
        self.found.insert(parameter.name, gradient.into_data().iter::<f32>().collect());
    }
}

#[test]
fn logits_losses_and_all_gradients_match_transformers() {
    let golden = golden();
    for case in cases() {
        let (model, batch) = (case.model().train(), case.batch(&golden));
        let objective = case.config.objective(&batch.targets, case.num_labels).unwrap();
        let ids = input_ids(&batch.tokens, &device_of(&model));
        let logits = model.forward(ids, &sequence_layout(&batch.tokens), ForwardContext::default());
        let loss = objective.loss_sum(logits.clone(), &batch.targets) / objective.normalizer(&batch.targets);
        let values = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        assert_close(&golden, &case.key("logits"), values(logits), 1e-5);
        assert_close(&golden, &case.key("loss"), vec![loss.clone().into_scalar::<f32>()], 1e-5);
        let mut named = Named { gradients: loss.backward(), found: BTreeMap::new() };
        visit_parameters(&model, &mut named);
        assert_eq!(named.found.len(), 41);
        for (name, gradient) in named.found {
            assert_close(&golden, &case.key(&format!("grad.{name}")), gradient, 1e-5);
        }
    }
}

/// Compares values; the tolerance is relative to the largest one, and absolute below 1.
#[track_caller]
fn assert_close(golden: &Golden, name: &str, found: Vec<f32>, tolerance: f32) {
    let expected = golden.floats(name);
    let largest = expected.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
    let difference = largest_difference(&[found], &[expected]);
    assert!(difference < tolerance * largest, "{name} differs by {difference}");
}

#[test]
fn ten_steps_match_transformers() {
    let golden = golden();
    for case in cases() {
        let found = case.ten_steps(BackwardOptions::default());
        check(&golden, &case.key("losses"), &found.losses, |expected| 1e-4 * expected.max(1.0));
        check(&golden, &case.key("grad_norms"), &found.grad_norms, |expected| 1e-4 * expected);
        let weights = named_weights(&found.model);
        let is_stored =
            |name: &str| name.starts_with("classifier.") || name.contains("layer.0.attention.self.query.");
        let stored = weights.into_iter().filter(|(name, _)| is_stored(name) && has_gradient(name));
        let mut compared = 0;
        for (name, values) in stored {
            let difference =
                largest_difference(&[values], &[golden.floats(&case.key(&format!("final.{name}")))]);
            assert!(difference < 5e-5, "{}: {name} differs by {difference}", case.name); // 5 % of one step
            compared += 1;
        }
        assert_eq!(compared, 4);
    }
}

#[test]
fn gradient_checkpointing_and_loss_scaling_are_bit_identical() {
    let others = [
        BackwardOptions { gradient_checkpointing: true, ..BackwardOptions::default() },
        BackwardOptions { loss_scale: 65_536.0, ..BackwardOptions::default() },
    ];
    for case in cases() {
        let plain = case.ten_steps(BackwardOptions::default());
        for other in others.map(|backward| case.ten_steps(backward)) {
            assert_eq!(plain.losses, other.losses, "{}", case.name);
            assert_eq!(named_weights(&plain.model), named_weights(&other.model), "{}", case.name);
        }
    }
}

/// Compares a loss of the stored logits, with values of up to ±40, and its gradient.
#[track_caller]
fn check_loss(name: &str, targets: &Targets, config: &TrainConfig) {
    let golden = golden();
    let logits = TensorData::new(golden.floats("logits"), [6, 3]);
    let logits = Tensor::<2>::from_data(logits, &Device::flex().autodiff()).require_grad();
    let objective = config.objective(targets, 3).unwrap();
    let mean = objective.loss_sum(logits.clone(), targets) / objective.normalizer(targets);
    let gradient = logits.grad(&mean.clone().backward()).unwrap().into_data().iter::<f32>().collect();
    assert_close(&golden, name, vec![mean.into_scalar::<f32>()], 1e-6);
    assert_close(&golden, &format!("{name}.grad_logits"), gradient, 1e-6);
}

fn decisions() -> Targets {
    let rows: [[f32; 3]; 6] =
        [[1., 0., 1.], [0., 1., 1.], [1., 1., 1.], [1., 0., 0.], [0., 0., 1.], [1., 0., 0.]];
    Targets::MultiHot(multi_hot(rows.map(Vec::from).into()))
}

#[test]
fn binary_cross_entropy_with_pos_weight_matches_pytorch() {
    check_loss("bce", &decisions(), &TrainConfig::default());
    let pos_weight = ClassWeights::List(POS_WEIGHT.to_vec());
    check_loss("weighted_bce", &decisions(), &TrainConfig { pos_weight, ..TrainConfig::default() });
}

#[test]
fn focal_losses_match_pytorch_for_each_gamma() {
    let labels = Targets::Labels(vec![0, 2, 1, 0, 0, 2]);
    for gamma in [0.0, 0.5, 2.0] {
        let focal = TrainConfig { loss: Loss::Focal, focal_gamma: gamma, ..TrainConfig::default() };
        let class_weights = ClassWeights::List(vec![0.5, 1.0, 2.0]);
        check_loss(&format!("focal.{gamma:?}"), &labels, &TrainConfig { class_weights, ..focal.clone() });
        let pos_weight = ClassWeights::List(POS_WEIGHT.to_vec());
        check_loss(&format!("sigmoid_focal.{gamma:?}"), &decisions(), &TrainConfig { pos_weight, ..focal });
    }
}
