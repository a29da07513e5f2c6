//! Training on text pairs: loss and gradient norm of transformers, for every kind of step; and a run.

use burn::module::Module;
use burn::tensor::Device;
use embert_inference::InferenceError;
use embert_model::{AutoModelForSequenceClassification, ForwardContext};
use embert_text::{EncodedTexts, Limit, Padding, TokenBatch, Truncation};
use embert_train::{
    BackwardOptions, Event, LabelledBatch, LabelledTexts, MetricOptions, Targets, TrainConfig, TrainData,
    TrainError, TrainSamplingStrategy, evaluate, fit, step_gradients,
};

use crate::accumulation::config;
use crate::golden::Golden;
use crate::tiny::{self, BATCHING, model_fixtures, read_model, tokenizer};

/// Returns the batch of a file, with its token types.
fn batch(golden: &Golden) -> LabelledBatch {
    let mut batch = golden.batch();
    batch.tokens.first_segment_lengths = Some(golden.integers("first_segment_lengths"));
    batch
}

/// Returns two micro-batches: the first two sequences of a packed batch, and the others.
fn in_two(golden: &Golden) -> [LabelledBatch; 2] {
    let TokenBatch { ids, lengths, first_segment_lengths, rows, .. } = batch(golden).tokens;
    let labels = golden.integers("labels");
    let num_ids: usize = lengths[..2].iter().sum();
    [(0..2, 0..num_ids), (2..lengths.len(), num_ids..ids.len())].map(|(sequences, tokens)| LabelledBatch {
        tokens: TokenBatch {
            ids: ids[tokens].to_vec(),
            lengths: lengths[sequences.clone()].to_vec(),
            first_segment_lengths: first_segment_lengths.as_ref().map(|all| all[sequences.clone()].to_vec()),
            rows: rows[sequences.clone()].to_vec(),
            padded_to: None,
        },
        targets: Targets::Labels(labels[sequences].to_vec()),
    })
}

/// Returns loss and gradient norm.
fn step(
    model: &AutoModelForSequenceClassification,
    window: &[LabelledBatch],
    backward: BackwardOptions<'_>,
) -> [f64; 2] {
    let objective = TrainConfig::default().objective(&window[0].targets, 3).unwrap();
    let found = step_gradients(model, window, &objective, ForwardContext::default(), backward);
    [found.loss.into_scalar::<f64>(), found.grad_norm.into_scalar::<f64>()]
}

/// Returns loss and gradient norm of transformers.
fn expected(golden: &Golden, names: &[String]) -> [f64; 2] {
    let of = |name: &String| golden.floats(&format!("grad.{name}"));
    let squares = names.iter().flat_map(of).map(|value| f64::from(value).powi(2));
    [golden.floats("loss")[0].into(), squares.sum::<f64>().sqrt()]
}

#[test]
fn loss_and_gradient_norm_of_pairs_equal_transformers_in_every_kind_of_step() {
    for (directory, file) in
        [("tiny_bert", "pairs.safetensors"), ("tiny_distilbert", "pairs_distilbert.safetensors")]
    {
        let golden = Golden::of_model(file);
        let model = read_model(&model_fixtures().join(directory)).train();
        let names: Vec<_> = tiny::named_weights(&model).into_keys().collect();
        let [loss, norm] = expected(&golden, &names);
        let (one, two) = ([batch(&golden)], in_two(&golden));
        let replicas = [Device::flex().autodiff()];
        let plain = BackwardOptions::default();
        let checkpointed = BackwardOptions { gradient_checkpointing: true, ..plain };
        let parallel = BackwardOptions { replicas: &replicas, ..plain };
        let kinds: [(&[LabelledBatch], _); 5] =
            [(&one, plain), (&one, checkpointed), (&two, plain), (&two, checkpointed), (&two, parallel)];
        for (window, backward) in kinds {
            let found = step(&model, window, backward);
            assert!((found[0] - loss).abs() < 1e-5, "{file} {backward:?}: loss {} is not {loss}", found[0]);
            assert!((found[1] - norm).abs() < 1e-4 * norm, "{file} {backward:?}: {} is not {norm}", found[1]);
        }
        let single = step(&model, &[golden.batch()], plain)[0];
        assert_eq!((single - loss).abs() > 1e-3, directory == "tiny_bert", "{single} and {loss}");
    }
}

/// Texts of which the label is 1 if the second contains the first.
fn pairs(count: usize) -> (EncodedTexts, Targets) {
    let word = |number: usize| format!("w{}", 5 + number % 90);
    let (mut texts, mut text_pairs, mut labels) = (vec![], vec![], vec![]);
    for row in 0..count {
        let label = row % 2;
        texts.push(word(row * 7));
        text_pairs.push(
            (0..1 + row % 5).map(|place| word((row + place) * 7 + 1 - label)).collect::<Vec<_>>().join(" "),
        );
        labels.push(label);
    }
    let limit = Limit::new(16, Truncation::Right, 48).unwrap();
    (tokenizer().encode_all_pairs(&texts, &text_pairs, limit, &|_| ()).unwrap(), Targets::Labels(labels))
}

fn losses(config: &TrainConfig, padding: Padding, replicas: &[Device]) -> Vec<f64> {
    let (texts, targets) = pairs(40);
    let labelled = LabelledTexts { texts: &texts, targets: &targets };
    let data = TrainData {
        train: labelled,
        eval: None,
        padding,
        replicas,
        metric_options: MetricOptions::default(),
    };
    let mut losses = vec![];
    fit(tiny::model(0.1), data, config, &mut |event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
        tiny::CONTINUE
    })
    .unwrap();
    losses
}

#[test]
fn a_run_on_pairs_does_not_depend_on_padding_accumulation_and_devices() {
    let grouped = |batch_size, accumulation| TrainConfig {
        train_sampling_strategy: TrainSamplingStrategy::GroupByLength,
        ..config(batch_size, accumulation)
    };
    let expected = losses(&grouped(8, 1), Padding::Packed, &[]);
    assert_eq!(expected.len(), 10);
    let checkpointed = TrainConfig { gradient_checkpointing: true, ..grouped(2, 4) };
    let replica = [Device::flex().autodiff()];
    for found in [
        losses(&grouped(8, 1), Padding::MultipleOf(8), &[]),
        losses(&checkpointed, Padding::Longest, &[]),
        losses(&grouped(2, 4), Padding::Packed, &replica),
    ] {
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }
}

#[test]
fn pairs_for_a_model_with_one_token_type_are_an_error() {
    let mut config = tiny::config(0.0);
    config.encoder.type_vocab_size = Some(1);
    let model = AutoModelForSequenceClassification::new(&config, 7, &Device::flex().autodiff()).valid();
    let (texts, targets) = pairs(8);
    let labelled = LabelledTexts { texts: &texts, targets: &targets };
    let data = TrainData {
        train: labelled,
        eval: None,
        padding: Padding::Packed,
        replicas: &[],
        metric_options: MetricOptions::default(),
    };
    let trained = fit(model.clone(), data, &self::config(8, 1), &mut tiny::ignore).unwrap_err();
    let evaluated =
        evaluate(&model, labelled, BATCHING, MetricOptions::default(), &mut |_| tiny::CONTINUE).unwrap_err();
    for error in [trained, evaluated] {
        assert!(matches!(error, TrainError::Inference(InferenceError::NoSecondTokenType)), "{error}");
    }
}
