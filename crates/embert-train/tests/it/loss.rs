//! The loss and its gradient, compared with `torch.nn.functional.cross_entropy`.

use burn::tensor::{Device, Tensor, TensorData};
use embert_train::{ClassWeights, Objective, SingleLabel, Targets, TrainConfig, TrainError};

use crate::golden::Golden;

#[track_caller]
fn check(name: &str, config: &TrainConfig) {
    let golden = Golden::read();
    let labels = golden.integers("labels");
    let logits = golden.floats("logits");
    let device = Device::flex().autodiff();
    let logits = Tensor::<2>::from_data(TensorData::new(logits, [labels.len(), 3]), &device).require_grad();
    let targets = Targets::Labels(labels);
    let objective = config.objective(&targets, 3).unwrap();
    let mean = objective.loss_sum(logits.clone(), &targets) / objective.normalizer(&targets);
    let gradient = logits.grad(&mean.backward()).unwrap().into_data().iter::<f32>().collect::<Vec<_>>();

    // float32, compared with float64 values
    let (found, expected) = (mean.into_scalar::<f32>(), golden.floats(name)[0]);
    assert!((found - expected).abs() < 1e-6, "{name} is {found}, not {expected}");
    let expected = golden.floats(&format!("{name}.grad_logits"));
    let difference = crate::tiny::largest_difference(&[gradient], &[expected]);
    assert!(difference < 1e-6, "the gradient of {name} differs by {difference}");
}

fn class_weights() -> ClassWeights {
    ClassWeights::List(Golden::read().floats("class_weights").into_iter().map(f64::from).collect())
}

#[test]
fn cross_entropy_matches_pytorch() {
    check("loss", &TrainConfig::default());
}

#[test]
fn label_smoothing_matches_pytorch() {
    check("smoothed_loss", &TrainConfig { label_smoothing_factor: 0.1, ..TrainConfig::default() });
}

#[test]
fn class_weights_match_pytorch() {
    check("weighted_loss", &TrainConfig { class_weights: class_weights(), ..TrainConfig::default() });
}

#[test]
fn label_smoothing_with_class_weights_matches_pytorch() {
    let config =
        TrainConfig { class_weights: class_weights(), label_smoothing_factor: 0.1, ..TrainConfig::default() };
    check("smoothed_weighted_loss", &config);
}

#[test]
fn balanced_weights_match_scikit_learn() {
    // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])
    // → 0.66666667, 1., 2.
    let config = TrainConfig { class_weights: ClassWeights::Balanced, ..TrainConfig::default() };
    let targets = Targets::Labels(vec![0, 0, 0, 1, 1, 2]);
    let class_weights = vec![2.0 / 3.0, 1.0, 2.0];
    let expected = SingleLabel { label_smoothing: 0.0, class_weights, focal_gamma: None };
    assert_eq!(config.objective(&targets, 3).unwrap(), Objective::SingleLabel(expected));
}

#[test]
fn class_weights_that_do_not_fit_the_labels_are_errors() {
    let weighted = |class_weights| TrainConfig { class_weights, ..TrainConfig::default() };
    let list = weighted(ClassWeights::List(vec![1.0, 2.0]));
    let error = list.objective(&Targets::Labels(vec![0, 1, 2]), 3).unwrap_err();
    assert!(matches!(error, TrainError::ClassWeights { found: 2, num_labels: 3, .. }), "{error}");
    let balanced = weighted(ClassWeights::Balanced);
    let error = balanced.objective(&Targets::Labels(vec![0, 0, 2]), 3).unwrap_err();
    assert!(matches!(error, TrainError::NothingToBalance { label: 1, .. }), "{error}");
}
