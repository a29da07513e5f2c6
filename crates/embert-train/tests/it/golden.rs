//! Ten AdamW steps on a tiny model of each family, compared with transformers and PyTorch.

use std::fs;
use std::path::Path;

use burn::module::Module;
use embert_model::{AutoModelForSequenceClassification, ForwardContext, set_trainable};
use embert_text::TokenBatch;
use embert_train::{AdamW, BackwardOptions, LabelledBatch, Targets, TrainConfig, step_gradients};
use safetensors::{Dtype, SafeTensors};

use crate::tiny::{has_gradient, model_fixtures, named_weights, read_model};

/// The directory of a model, its golden values, and its number of tensors.
type Fixture = (&'static str, &'static str, usize);

const BERT: Fixture = ("tiny_bert", "golden.safetensors", 41);
const DISTILBERT: Fixture = ("tiny_distilbert", "golden_distilbert.safetensors", 40);
const DEBERTA: Fixture = ("families/deberta-v2", "families/deberta-v2/golden.safetensors", 42);
const MPNET: Fixture = ("families/mpnet", "families/mpnet/golden.safetensors", 41);
const FIXTURES: [Fixture; 11] = [
    BERT,
    DISTILBERT,
    ("families/roberta", "families/roberta/golden.safetensors", 41),
    ("families/xlm-roberta", "families/xlm-roberta/golden.safetensors", 41),
    ("families/camembert", "families/camembert/golden.safetensors", 41),
    ("families/electra", "families/electra/golden.safetensors", 43),
    ("families/albert", "families/albert/golden.safetensors", 43),
    DEBERTA,
    MPNET,
    ("families/modernbert", "families/modernbert/golden.safetensors", 18),
    ("families/modernbert-cls", "families/modernbert-cls/golden.safetensors", 18),
];

/// Values computed by transformers.
pub(crate) struct Golden(Vec<u8>);

impl Golden {
    /// Opens the values of the tiny BERT.
    pub(crate) fn read() -> Self {
        Self::of(BERT)
    }

    fn of((_, file, _): Fixture) -> Self {
        Self::of_model(file)
    }

    /// Opens a file of embert-model.
    pub(crate) fn of_model(name: &str) -> Self {
        Self(fs::read(model_fixtures().join(name)).unwrap())
    }

    /// Opens a file of this crate.
    pub(crate) fn open(name: &str) -> Self {
        Self(fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap())
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

    /// Returns the batch, packed, as single texts.
    pub(crate) fn batch(&self) -> LabelledBatch {
        let lengths = self.integers("lengths");
        let tokens = TokenBatch {
            ids: self.integers("input_ids").into_iter().map(|id| id as u32).collect(),
            rows: (0..lengths.len()).collect(),
            lengths,
            first_segment_lengths: None,
            padded_to: None,
        };
        LabelledBatch { tokens, targets: Targets::Labels(self.integers("labels")) }
    }
}

pub(crate) struct TenSteps {
    pub(crate) losses: Vec<f64>,
    pub(crate) grad_norms: Vec<f64>,
    learning_rates: Vec<f64>,
    pub(crate) model: AutoModelForSequenceClassification,
}

fn ten_steps((directory, ..): Fixture, window: &[LabelledBatch], backward: BackwardOptions<'_>) -> TenSteps {
    let model = read_model(&model_fixtures().join(directory));
    ten_steps_of(model, window, backward, TrainConfig::default())
}

/// Trains with the optimizer and the schedule of the golden values. `config` has the loss.
pub(crate) fn ten_steps_of(
    model: AutoModelForSequenceClassification,
    window: &[LabelledBatch],
    backward: BackwardOptions<'_>,
    config: TrainConfig,
) -> TenSteps {
    let config = TrainConfig { learning_rate: 1e-3, weight_decay: 0.01, warmup_steps: 2.into(), ..config };
    let mut model = model.train();
    let objective = config.objective(&window[0].targets, model.num_labels()).unwrap();
    let schedule = config.schedule(10).unwrap();
    let mut optimizer = AdamW::new(config.adamw());
    let (mut losses, mut grad_norms, mut learning_rates) = (vec![], vec![], vec![]);
    for step in 0..10 {
        let found = step_gradients(&model, window, &objective, ForwardContext::default(), backward);
        losses.push(found.loss.clone().into_scalar::<f64>());
        grad_norms.push(found.grad_norm.clone().into_scalar::<f64>());
        learning_rates.push(schedule.learning_rate(step));
        let scale = found.scale(config.max_grad_norm);
        model = optimizer.step(model, found.gradients, scale, schedule.learning_rate(step));
    }
    TenSteps { losses, grad_norms, learning_rates, model }
}

#[track_caller]
pub(crate) fn check(golden: &Golden, name: &str, found: &[f64], tolerance: impl Fn(f64) -> f64) {
    let expected = golden.floats(name);
    assert_eq!(found.len(), expected.len());
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        let expected = f64::from(expected);
        let difference = (found - expected).abs();
        assert!(difference <= tolerance(expected), "{name} of step {step} is {found}, not {expected}");
    }
}

#[test]
fn ten_losses_and_gradient_norms_match_transformers() {
    for fixture in FIXTURES {
        let golden = Golden::of(fixture);
        let found = ten_steps(fixture, &[golden.batch()], BackwardOptions::default());
        check(&golden, "losses", &found.losses, |_| 1e-4);
        check(&golden, "grad_norms", &found.grad_norms, |expected| 1e-4 * expected);
        check(&golden, "learning_rates", &found.learning_rates, |_| 1e-9);
    }
}

#[test]
fn weights_after_ten_steps_match_transformers() {
    for fixture @ (_, _, num_tensors) in FIXTURES {
        let golden = Golden::of(fixture);
        let mut found =
            named_weights(&ten_steps(fixture, &[golden.batch()], BackwardOptions::default()).model);
        assert_eq!(found.len(), num_tensors);
        found.retain(|name, _| has_gradient(name));
        for (name, values) in found {
            let difference =
                crate::tiny::largest_difference(&[values], &[golden.floats(&format!("final.{name}"))]);
            // 5 % of one step: AdamW amplifies the rounding of gradients near ε.
            assert!(difference < 5e-5, "{name} differs by {difference}");
        }
    }
}

#[test]
fn gradient_checkpointing_and_loss_scaling_are_bit_identical() {
    let others = [
        BackwardOptions { gradient_checkpointing: true, ..BackwardOptions::default() },
        BackwardOptions { loss_scale: 65_536.0, ..BackwardOptions::default() },
    ];
    for fixture in FIXTURES {
        let window = [Golden::of(fixture).batch()];
        let plain = ten_steps(fixture, &window, BackwardOptions::default());
        for other in others.map(|backward| ten_steps(fixture, &window, backward)) {
            assert_eq!(plain.losses, other.losses);
            assert_eq!(named_weights(&plain.model), named_weights(&other.model));
        }
    }
}

/// Relative embeddings and relative biases count as embeddings, but they belong to all layers.
#[test]
fn gradient_checkpointing_is_bit_identical_if_some_embeddings_are_frozen() {
    let checkpointing = BackwardOptions { gradient_checkpointing: true, ..BackwardOptions::default() };
    let (relative, norm) = ("deberta.encoder.rel_embeddings.", "deberta.encoder.LayerNorm.");
    for (fixture @ (directory, ..), frozen) in [
        (DEBERTA, &["deberta.embeddings."][..]),
        (DEBERTA, &[relative]),
        (DEBERTA, &[relative, norm]),
        (MPNET, &["mpnet.embeddings."]),
        (MPNET, &["mpnet.encoder.relative_attention_bias."]),
    ] {
        let window = [Golden::of(fixture).batch()];
        let [plain, other] = [BackwardOptions::default(), checkpointing].map(|backward| {
            let model = read_model(&model_fixtures().join(directory));
            let model = set_trainable(model, &|name| !frozen.iter().any(|part| name.starts_with(part)));
            ten_steps_of(model, &window, backward, TrainConfig::default())
        });
        assert_eq!(plain.losses, other.losses, "{frozen:?}");
        assert_eq!(named_weights(&plain.model), named_weights(&other.model), "{frozen:?}");
    }
}
