//! Compares hidden states, logits, loss and gradients for text pairs with transformers and PEFT.

use std::collections::HashMap;
use std::fs;

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::SequenceLayout;
use embert_model::{AutoConfig, AutoModelForSequenceClassification, ForwardContext, from_pretrained};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::adapters::adapted;
use crate::fixtures;
use crate::golden::{Golden, assert_close, values};
use crate::gradients::assert_gradients_agree;

/// The longest sequence, so that one sequence has no padding.
const PADDED_TO: usize = 48;

fn model(directory: &str, device: &Device) -> AutoModelForSequenceClassification {
    let directory = fixtures().join(directory);
    let config = AutoConfig::from_dir(&directory).unwrap();
    from_pretrained(&directory, &config, 0, device).unwrap().complete(&directory).unwrap()
}

fn pairs() -> Golden {
    Golden::of("pairs.safetensors")
}

fn first_segment_lengths(golden: &Golden) -> Vec<usize> {
    golden.integers("first_segment_lengths").into_iter().map(|length| length as usize).collect()
}

/// Returns the layout of the pairs, packed.
fn layout(golden: &Golden) -> SequenceLayout {
    golden.layout().with_first_segments(first_segment_lengths(golden))
}

/// Returns ids and layout of the same pairs, padded.
fn padded(golden: &Golden, device: &Device) -> (Tensor<1, Int>, SequenceLayout) {
    let lengths = golden.layout().lengths;
    let mut ids = golden.integers("input_ids").into_iter();
    let padded = lengths.iter().flat_map(|&length| {
        let mut sequence: Vec<i64> = ids.by_ref().take(length).collect();
        sequence.resize(PADDED_TO, 0);
        sequence
    });
    let padded = TensorData::new(padded.collect::<Vec<_>>(), [lengths.len() * PADDED_TO]);
    let layout =
        SequenceLayout::padded(lengths, PADDED_TO).with_first_segments(first_segment_lengths(golden));
    (Tensor::from_data(padded, device), layout)
}

fn assert_hidden_states_and_logits_agree(directory: &str, golden: &Golden) {
    let device = Device::flex();
    let (model, layout) = (model(directory, &device), layout(golden));
    let states = model.base_model.hidden_states(golden.input_ids(&device), &layout);
    assert_eq!(states.len(), 3);
    for (layer, hidden_states) in states.iter().enumerate() {
        let name = format!("hidden_states.{layer}");
        assert_close(&name, &values(hidden_states.clone()), &golden.floats(&name), 1e-5);
    }
    let context = ForwardContext::default();
    if let Some(pooled) = model.base_model.pooler_output(states[2].clone(), &layout, context) {
        assert_close("pooler_output", &values(pooled), &golden.floats("pooler_output"), 1e-5);
    }
    let (padded_ids, padded_layout) = padded(golden, &device);
    let packed = model.forward(golden.input_ids(&device), &layout, context);
    let padded = model.forward(padded_ids, &padded_layout, context);
    assert_close("logits", &values(packed), &golden.floats("logits"), 1e-5);
    assert_close("padded logits", &values(padded), &golden.floats("logits"), 1e-5);
}

#[test]
fn hidden_states_and_logits_of_pairs_equal_those_of_transformers() {
    assert_hidden_states_and_logits_agree("tiny_bert", &pairs());
    assert_hidden_states_and_logits_agree("tiny_distilbert", &Golden::of("pairs_distilbert.safetensors"));
}

/// RoBERTa's own tokenizer gives all tokens type 0, but such a model may have BertTokenizer.
#[test]
fn roberta_with_two_token_types_has_the_logits_of_transformers() {
    let (golden, directory) = (Golden::of("pairs_roberta.safetensors"), tempfile::tempdir().unwrap());
    let read = |file: &str| fs::read(fixtures().join("families/roberta").join(file)).unwrap();
    let mut config: Value = serde_json::from_slice(&read("config.json")).unwrap();
    config["type_vocab_size"] = 2.into();
    fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    let table = golden.floats("token_types").into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>();
    let weights = read("model.safetensors");
    let mut tensors: HashMap<_, _> =
        SafeTensors::deserialize(&weights).unwrap().tensors().into_iter().collect();
    let name = "roberta.embeddings.token_type_embeddings.weight";
    tensors.insert(name.into(), TensorView::new(Dtype::F32, vec![2, 24], &table).unwrap());
    let file = directory.path().join("model.safetensors");
    safetensors::serialize_to_file(tensors, None, &file).unwrap();

    let config = AutoConfig::from_dir(directory.path()).unwrap();
    let model = from_pretrained(directory.path(), &config, 0, &Device::flex()).unwrap().model;
    assert!(model.embeddings().supports_pairs());
    let ids = golden.input_ids(&Device::flex());
    let logits = model.forward(ids, &layout(&golden), ForwardContext::default());
    assert_close("logits", &values(logits), &golden.floats("logits"), 1e-5);
}

#[test]
fn loss_and_gradients_of_pairs_equal_those_of_transformers() {
    let device = Device::flex().autodiff();
    let num_gradients = |directory: &str, golden: &Golden| {
        let model = model(directory, &device);
        let (padded_ids, padded_layout) = padded(golden, &device);
        let packed = model.forward(golden.input_ids(&device), &layout(golden), ForwardContext::default());
        let padded = model.forward(padded_ids, &padded_layout, ForwardContext::default());
        [packed, padded].map(|logits| assert_gradients_agree(&model, logits, golden))
    };
    assert_eq!(num_gradients("tiny_bert", &pairs()), [5 + 2 * 16 + 2 + 2; 2]);
    let distilbert = Golden::of("pairs_distilbert.safetensors");
    assert_eq!(num_gradients("tiny_distilbert", &distilbert), [4 + 2 * 16 + 2 + 2; 2]);
}

#[test]
fn token_types_change_bert_and_have_no_effect_on_distilbert() {
    let device = Device::flex();
    let logits = |directory: &str, golden: &Golden, layout: &SequenceLayout| {
        values(model(directory, &device).forward(
            golden.input_ids(&device),
            layout,
            ForwardContext::default(),
        ))
    };
    let differ = |directory: &str, golden: &Golden| {
        logits(directory, golden, &layout(golden)) != logits(directory, golden, &golden.layout())
    };
    assert!(differ("tiny_bert", &pairs()));
    assert!(!differ("tiny_distilbert", &Golden::of("pairs_distilbert.safetensors")));
    // A first segment of the whole sequence has the types of a single text.
    let whole = pairs().layout().with_first_segments(pairs().layout().lengths);
    assert_eq!(logits("tiny_bert", &pairs(), &whole), logits("tiny_bert", &pairs(), &pairs().layout()));
}

#[test]
fn adapters_have_the_logits_of_peft_for_pairs() {
    let (golden, device) = (pairs(), Device::flex());
    for case in ["plain", "dense"] {
        let (model, _) = adapted(case);
        let logits = model.forward(golden.input_ids(&device), &layout(&golden), ForwardContext::default());
        assert_close(case, &values(logits), &golden.floats(&format!("{case}.logits")), 1e-5);
    }
}

#[test]
fn a_model_with_one_token_type_supports_no_pairs() {
    let supports_pairs = |directory: &str, types: Option<usize>| {
        let mut config = AutoConfig::from_dir(&fixtures().join(directory)).unwrap();
        config.encoder.type_vocab_size = types;
        AutoModelForSequenceClassification::new(&config, 1, &Device::flex()).embeddings().supports_pairs()
    };
    assert!(supports_pairs("tiny_bert", Some(2)) && supports_pairs("tiny_distilbert", None));
    assert!(!supports_pairs("tiny_bert", Some(1)));
}
