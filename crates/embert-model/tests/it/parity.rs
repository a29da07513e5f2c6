//! Compares hidden states, logits, loss and gradients of BERT with transformers.

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::{DropoutStream, SequenceLayout};
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, EncoderLayer, ForwardContext, from_pretrained,
};

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};
use crate::gradients::assert_gradients_agree;

fn tiny_bert(device: &Device) -> AutoModelForSequenceClassification {
    let directory = fixtures().join("tiny_bert");
    let config = AutoConfig::from_dir(&directory).unwrap();
    from_pretrained(&directory, &config, 0, device).unwrap().complete(&directory).unwrap()
}

#[test]
fn hidden_states_and_logits_equal_those_of_transformers() {
    let (golden, device) = (Golden::read(), Device::flex());
    let model = tiny_bert(&device);
    let states = model.base_model.hidden_states(golden.input_ids(&device), &golden.layout());
    assert_eq!(states.len(), 3);
    let pooled = model
        .base_model
        .pooler_output(states[2].clone(), &golden.layout(), ForwardContext::default())
        .unwrap();
    assert_close("pooler_output", &values(pooled), &golden.floats("pooler_output"), 1e-5);
    for (layer, hidden_states) in states.into_iter().enumerate() {
        let name = format!("hidden_states.{layer}");
        assert_close(&name, &values(hidden_states), &golden.floats(&name), 1e-5);
    }
    let logits = model.forward(golden.input_ids(&device), &golden.layout(), ForwardContext::default());
    assert_close("logits", &values(logits), &golden.floats("logits"), 1e-5);
}

/// `forward` computes the last layer only for first tokens, with the same dropout masks.
#[test]
fn logits_equal_those_from_a_complete_last_layer() {
    let (golden, device) = (Golden::read(), Device::flex());
    let (model, layout) = (tiny_bert(&device), golden.layout());
    let dropout = Some(DropoutStream { seed: 1, step: 2, first_sequence: 3 });
    let context = ForwardContext { dropout, ..ForwardContext::default() };
    let all = model.base_model.forward(golden.input_ids(&device), &layout, context); // [num_tokens, hidden]
    let starts: Vec<i32> = layout.starts().into_iter().map(|start| start as i32).collect();
    let first = all.select(0, Tensor::from_data(starts.as_slice(), &device)); // [batch, hidden]
    let expected = values(model.classify(first, context));
    let logits = values(model.forward(golden.input_ids(&device), &layout, context));
    assert_close("logits", &logits, &expected, 1e-6);
}

#[test]
fn padding_does_not_change_logits() {
    let (golden, device) = (Golden::read(), Device::flex());
    let lengths = golden.layout().lengths;
    let ids = golden.integers("input_ids");
    let mut rest = ids.as_slice();
    let mut padded = vec![];
    for &length in &lengths {
        let (sequence, after) = rest.split_at(length);
        padded.extend_from_slice(sequence);
        padded.extend(vec![0; 48 - length]);
        rest = after;
    }
    let shape = [padded.len()];
    let ids = Tensor::<1, Int>::from_data(TensorData::new(padded, shape), &device);
    let logits =
        tiny_bert(&device).forward(ids, &SequenceLayout::padded(lengths, 48), ForwardContext::default());
    assert_close("logits", &values(logits), &golden.floats("logits"), 1e-5);
}

#[test]
fn loss_and_gradients_equal_those_of_transformers() {
    let (golden, device) = (Golden::read(), Device::flex().autodiff());
    let model = tiny_bert(&device);
    let logits = model.forward(golden.input_ids(&device), &golden.layout(), ForwardContext::default());
    assert_eq!(assert_gradients_agree(&model, logits, &golden), 5 + 2 * 16 + 2 + 2);
}

/// Newly initialized biases are 0.
#[test]
fn a_missing_bias_equals_a_bias_of_zero() {
    let (golden, device) = (Golden::read(), Device::flex());
    let config = AutoConfig::from_dir(&fixtures().join("tiny_bert")).unwrap();
    let mut model = AutoModelForSequenceClassification::new(&config, 1, &device);
    let logits = |model: &AutoModelForSequenceClassification| {
        values(model.forward(golden.input_ids(&device), &golden.layout(), ForwardContext::default()))
    };
    let before = logits(&model);
    for (_, linear) in model.linear_layers() {
        linear.bias = None;
    }
    model.base_model.embeddings.layer_norm.bias = None;
    for layer in &mut model.base_model.encoder.layer {
        let EncoderLayer::Bert(layer) = layer else { panic!("BERT's layer") };
        layer.attention.output.layer_norm.bias = None;
        layer.output.layer_norm.bias = None;
    }
    assert_close("logits", &logits(&model), &before, 1e-6);
}
