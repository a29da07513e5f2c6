//! Compares hidden states, logits, loss, gradients and dropout sites of DistilBERT with transformers.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use embert_kernels::{DropoutStream, SequenceLayout};
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, DISTILBERT, EncoderConfig, EncoderLayer, ForwardContext,
    from_pretrained,
};

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};
use crate::gradients::assert_gradients_agree;

fn tiny_distilbert(device: &Device) -> AutoModelForSequenceClassification {
    let directory = fixtures().join("tiny_distilbert");
    let config = AutoConfig::from_dir(&directory).unwrap();
    from_pretrained(&directory, &config, 0, device).unwrap().complete(&directory).unwrap()
}

fn hidden_states(golden: &Golden, device: &Device) -> Vec<Tensor<2>> {
    tiny_distilbert(device).base_model.hidden_states(golden.input_ids(device), &golden.layout())
}

#[test]
fn hidden_states_and_logits_equal_those_of_transformers() {
    let (golden, device) = (Golden::of_distilbert(), Device::flex());
    let states = hidden_states(&golden, &device);
    assert_eq!(states.len(), 3);
    for (layer, hidden_states) in states.into_iter().enumerate() {
        let name = format!("hidden_states.{layer}");
        assert_close(&name, &values(hidden_states), &golden.floats(&name), 1e-5);
    }
    let model = tiny_distilbert(&device);
    let logits = model.forward(golden.input_ids(&device), &golden.layout(), ForwardContext::default());
    assert_close("logits", &values(logits), &golden.floats("logits"), 1e-5);
}

#[test]
fn loss_and_gradients_equal_those_of_transformers() {
    let (golden, device) = (Golden::of_distilbert(), Device::flex().autodiff());
    let model = tiny_distilbert(&device);
    let logits = model.forward(golden.input_ids(&device), &golden.layout(), ForwardContext::default());
    assert_eq!(assert_gradients_agree(&model, logits, &golden), 4 + 2 * 16 + 2 + 2);
}

/// Returns the largest change that dropout causes in the embeddings, in the output of the layer for the same
/// input, and in the logits for the same first tokens.
fn changes_by_dropout(rates: EncoderConfig, without_feed_forward: bool) -> [f32; 3] {
    let (device, layout) = (Device::flex(), SequenceLayout::packed(vec![7, 5]));
    let encoder = EncoderConfig {
        vocab_size: 20,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 32,
        ..rates
    };
    let mut model =
        AutoModelForSequenceClassification::new(&AutoConfig::new(&DISTILBERT, encoder), 3, &device);
    if without_feed_forward {
        let EncoderLayer::Bert(layer) = &mut model.base_model.encoder.layer[0] else {
            panic!("BERT's layer")
        };
        let weight = &mut layer.output.dense.weight;
        *weight = Param::from_tensor(weight.val().zeros_like());
    }
    let with_dropout = ForwardContext {
        dropout: Some(DropoutStream { seed: 1, step: 0, first_sequence: 0 }),
        ..ForwardContext::default()
    };
    let ids = Tensor::from_data([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &device);
    let embedded = |context| model.embeddings().forward(ids.clone(), &layout, context);
    let x = embedded(ForwardContext::default());
    let first = x.clone().slice(0..2);
    let difference = |of: &dyn Fn(ForwardContext) -> Tensor<2>| {
        (of(with_dropout) - of(ForwardContext::default())).abs().max().into_scalar::<f32>()
    };
    [
        difference(&embedded),
        difference(&|context| {
            let encoder = model.encoder();
            encoder.forward(x.clone(), &encoder.context(&layout, context))
        }),
        difference(&|context| model.classify(first.clone(), context)),
    ]
}

#[test]
fn dropout_sites_equal_those_of_transformers() {
    let no_dropout = || EncoderConfig {
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        classifier_dropout: Some(0.0),
        ..(DISTILBERT.default_config)()
    };
    assert_eq!(changes_by_dropout(no_dropout(), false), [0.0; 3]);
    let [embeddings, layer, head] =
        changes_by_dropout(EncoderConfig { hidden_dropout_prob: 0.5, ..no_dropout() }, false);
    assert!(embeddings > 0.1 && layer > 1e-4 && head == 0.0, "{embeddings} {layer} {head}");
    // Unlike BERT, DistilBERT has no dropout between the attention projection and the residual connection.
    let [_, layer, _] = changes_by_dropout(EncoderConfig { hidden_dropout_prob: 0.5, ..no_dropout() }, true);
    assert_eq!(layer, 0.0);
    let [embeddings, layer, head] =
        changes_by_dropout(EncoderConfig { attention_probs_dropout_prob: 0.5, ..no_dropout() }, true);
    assert!(embeddings == 0.0 && layer > 1e-4 && head == 0.0, "{embeddings} {layer} {head}");
    let [embeddings, layer, head] =
        changes_by_dropout(EncoderConfig { classifier_dropout: Some(0.5), ..no_dropout() }, false);
    assert!(embeddings == 0.0 && layer == 0.0 && head > 1e-4, "{embeddings} {layer} {head}");
}
