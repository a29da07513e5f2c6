//! A tiny BERT with two layers, and labelled texts to train it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use embert_inference::Batching;
use embert_kernels::Precision;
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, BERT, EncoderConfig, Parameter, ParameterVisitor,
    ProblemType, from_pretrained, visit_parameters,
};
use embert_text::{BatchBudget, EncodedTexts, Limit, Padding, Tokenizer, Truncation};
use embert_train::{Evaluation, Event, EventResult, LabelledTexts, MetricOptions, Targets, TrainData};

pub(crate) const CONTINUE: EventResult = Ok(ControlFlow::Continue(()));
pub(crate) const BATCHING: Batching =
    Batching { budget: BatchBudget::Examples(4), padding: Padding::Packed, precision: Precision::Fp32 };

/// Ignores all events.
pub(crate) fn ignore(_event: Event<'_>) -> EventResult {
    CONTINUE
}

/// Owned texts and targets.
pub(crate) struct Examples {
    pub(crate) texts: EncodedTexts,
    targets: Targets,
}

impl Examples {
    /// Makes `count` texts of 1 to 12 words. Every second word depends on the label.
    pub(crate) fn new(count: usize) -> Self {
        let limit = Limit::new(16, Truncation::Right, 48).unwrap();
        let rows = (0..count).map(|row| (text(row), row % 2)).collect::<Vec<_>>();
        let (texts, labels): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        Self { texts: tokenizer().encode_all(&texts, limit, &|_| ()), targets: Targets::Labels(labels) }
    }

    /// Makes the same texts with targets of a problem type, for a model with two labels or targets.
    pub(crate) fn of(problem_type: ProblemType, count: usize) -> Self {
        let Self { texts, targets } = Self::new(count);
        let targets = match problem_type {
            ProblemType::SingleLabelClassification => targets,
            ProblemType::MultiLabelClassification => {
                Targets::MultiHot((0..count).map(|row| vec![row % 2 == 0, row % 3 == 0]).collect())
            }
            ProblemType::Regression => {
                let values = |row: usize| vec![(row % 2) as f32 - 0.5, (row % 5) as f32 / 5.0];
                Targets::Values((0..count).map(values).collect())
            }
        };
        Self { texts, targets }
    }

    pub(crate) fn labelled(&self) -> LabelledTexts<'_> {
        LabelledTexts { texts: &self.texts, targets: &self.targets }
    }

    /// Evaluates a model with the default metrics.
    pub(crate) fn evaluate(&self, model: &AutoModelForSequenceClassification) -> Evaluation {
        let options = MetricOptions::default();
        embert_train::evaluate(model, self.labelled(), BATCHING, options, &mut |_| CONTINUE).unwrap()
    }

    pub(crate) fn train_only(&self) -> TrainData<'_> {
        TrainData {
            train: self.labelled(),
            eval: None,
            padding: Padding::Packed,
            replicas: &[],
            metric_options: MetricOptions::default(),
        }
    }
}

fn text(row: usize) -> String {
    let words = (0..1 + row * 7 % 12).map(|place| {
        let first = [5, 25][row % 2];
        let word = if place % 2 == 0 { first + (row * 3 + place) % 20 } else { 45 + (row * 5 + place) % 54 };
        format!("w{word}")
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns a tokenizer with the special tokens and `w5` to `w98`.
pub(crate) fn tokenizer() -> Tokenizer {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let tokens = special.into_iter().chain((5..99).map(|id| format!("w{id}"))).collect::<Vec<_>>();
    Tokenizer::from_vocab(&tokens).unwrap()
}

pub(crate) fn config(dropout: f64) -> AutoConfig {
    let encoder = EncoderConfig {
        vocab_size: 99,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 64,
        max_position_embeddings: 48,
        initializer_range: 0.2,
        hidden_dropout_prob: dropout,
        attention_probs_dropout_prob: dropout,
        ..EncoderConfig::default()
    };
    let mut config = AutoConfig::new(&BERT, encoder);
    config.set_labels(["NEGATIVE", "POSITIVE"]);
    config
}

/// Returns a model with random weights, on the CPU, without autodiff.
pub(crate) fn model(dropout: f64) -> AutoModelForSequenceClassification {
    AutoModelForSequenceClassification::new(&config(dropout), 7, &Device::flex().autodiff()).valid()
}

/// Returns a model whose gradients overflow with the first loss scales of fp16.
pub(crate) fn overflowing(dropout: f64) -> AutoModelForSequenceClassification {
    let mut model = model(dropout);
    let classifier = &mut model.head.classifier;
    classifier.weight = classifier.weight.clone().map(|weight| weight * 1e15);
    model
}

/// Reads the model of a directory, on the CPU, without autodiff.
pub(crate) fn read_model(directory: &Path) -> AutoModelForSequenceClassification {
    let config = AutoConfig::from_dir(directory).unwrap();
    from_pretrained(directory, &config, 0, &Device::flex().autodiff())
        .unwrap()
        .complete(directory)
        .unwrap()
        .valid()
}

/// Returns the directory of embert-model's fixtures.
pub(crate) fn model_fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../embert-model/tests/fixtures")
}

/// Returns every parameter of a model.
pub(crate) fn weights(model: &AutoModelForSequenceClassification) -> Vec<Vec<f32>> {
    named_weights(model).into_values().collect()
}

/// Returns every parameter by its transformers name, dense weights transposed to `[out, in]`.
pub(crate) fn named_weights(model: &AutoModelForSequenceClassification) -> BTreeMap<String, Vec<f32>> {
    #[derive(Default)]
    struct Named(BTreeMap<String, Vec<f32>>);
    impl ParameterVisitor for Named {
        fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
            let name = parameter.name;
            let value = param.val();
            let is_table = name.contains("embeddings.") || name.contains("relative_attention_bias.");
            let is_dense = D == 2 && !is_table;
            let value = if is_dense { value.swap_dims(0, 1) } else { value };
            self.0.insert(name, value.into_data().iter::<f32>().collect());
        }
    }
    let mut named = Named::default();
    visit_parameters(model, &mut named);
    named.0
}

/// Returns false for the bias of a key. Its gradient is zero, because softmax ignores a constant in a row. AdamW
/// amplifies the rounding of this zero to full steps.
pub(crate) fn has_gradient(name: &str) -> bool {
    !["key.bias", "k_lin.bias", "attn.k.bias"].iter().any(|bias| name.ends_with(bias))
}

/// Returns the largest absolute difference.
pub(crate) fn largest_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.iter().map(Vec::len).collect::<Vec<_>>(), b.iter().map(Vec::len).collect::<Vec<_>>());
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Creates a temporary folder, in memory if possible, because the tests write many small files.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
