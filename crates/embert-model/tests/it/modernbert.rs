//! What only ModernBERT has: two generations of config keys, windows, the pooling of the classifier, its dropout, and new
//! weights. `families.rs` compares it with transformers.

use std::fs;

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::{DropoutStream, Precision, SequenceLayout, first_tokens, mean_pooling};
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, ClassifierPooling, EncoderConfig, ForwardContext,
    LayerType, MODERNBERT, ModernBertConfig, from_pretrained, parameters, save_pretrained,
};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};
use crate::gradients::{gradients_by_name, loss};

fn config(fixture: &str) -> AutoConfig {
    AutoConfig::from_dir(&fixtures().join("families").join(fixture)).unwrap()
}

fn modernbert(config: &AutoConfig) -> &ModernBertConfig {
    config.encoder.modernbert.as_ref().unwrap()
}

fn saved(config: &AutoConfig) -> Value {
    let directory = tempfile::tempdir().unwrap();
    config.save(directory.path()).unwrap();
    assert_eq!(&AutoConfig::from_dir(directory.path()).unwrap().encoder, &config.encoder);
    serde_json::from_str(&fs::read_to_string(directory.path().join("config.json")).unwrap()).unwrap()
}

fn read(keys: Value) -> AutoConfig {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    fs::write(&path, keys.to_string()).unwrap();
    AutoConfig::from_file(&path).unwrap()
}

/// Older versions of transformers and other programs read one generation of keys only.
#[test]
fn a_config_is_written_with_both_generations_of_keys() {
    let mut config = config("modernbert");
    config.encoder.num_hidden_layers = 5;
    let json = saved(&config);
    assert_eq!(json["global_attn_every_n_layers"], 3);
    assert_eq!([&json["global_rope_theta"], &json["local_rope_theta"]], [1000.0, 100.0]);
    let [full, sliding] = ["full_attention", "sliding_attention"];
    assert_eq!(json["layer_types"], json!([full, sliding, sliding, full, sliding]));
    assert_eq!(json["rope_parameters"][full], json!({"rope_type": "default", "rope_theta": 1000.0}));
    assert_eq!(json["rope_parameters"][sliding], json!({"rope_type": "default", "rope_theta": 100.0}));
    assert_eq!([&json["bos_token_id"], &json["sep_token_id"]], [1, 2]);
}

#[test]
fn layer_types_without_a_period_are_written_without_it() {
    let config = config("modernbert-cls");
    assert_eq!(
        modernbert(&config).layer_types,
        Some(vec![LayerType::SlidingAttention, LayerType::FullAttention])
    );
    let json = saved(&config);
    assert_eq!(json.get("global_attn_every_n_layers"), None);
    assert_eq!(json["layer_types"], json!(["sliding_attention", "full_attention"]));
}

#[test]
fn keys_of_transformers_5_come_before_those_of_4() {
    let config = read(json!({
        "model_type": "modernbert",
        "num_hidden_layers": 4,
        "global_attn_every_n_layers": 3,
        "layer_types": ["full_attention", "sliding_attention", "full_attention", "sliding_attention"],
        "global_rope_theta": 5.0,
        "local_rope_theta": 6.0,
        "rope_parameters": {"full_attention": {"rope_theta": 7.0}, "sliding_attention": null},
    }));
    let found = modernbert(&config);
    assert_eq!((found.global_attn_every_n_layers, &found.layer_types), (2, &None));
    assert_eq!((found.global_rope_theta, found.local_rope_theta), (7.0, 6.0));
}

#[test]
fn defaults_are_those_of_transformers() {
    let config = read(json!({"model_type": "modernbert"}));
    let found = modernbert(&config);
    assert_eq!((found.global_attn_every_n_layers, found.local_attention), (3, 128));
    assert_eq!((found.global_rope_theta, found.local_rope_theta), (160_000.0, 10_000.0));
    assert_eq!(found.classifier_pooling, ClassifierPooling::Cls);
    assert_eq!((config.encoder.max_length(), config.encoder.classifier_dropout), (8192, Some(0.0)));
}

/// Returns a classifier with random weights for `encoder`.
fn random(encoder: EncoderConfig) -> AutoModelForSequenceClassification {
    AutoModelForSequenceClassification::new(&AutoConfig::new(&MODERNBERT, encoder), 3, &Device::flex())
}

/// Returns the settings of the tiny model with this pooling and wider weights.
fn encoder(pooling: ClassifierPooling) -> EncoderConfig {
    let mut encoder = EncoderConfig { initializer_range: 0.2, ..config("modernbert").encoder };
    encoder.modernbert.as_mut().unwrap().classifier_pooling = pooling;
    encoder
}

fn with_dropout() -> ForwardContext {
    let stream = DropoutStream { seed: 1, step: 0, first_sequence: 0 };
    ForwardContext { dropout: Some(stream), ..ForwardContext::default() }
}

fn batch() -> (Tensor<1, Int>, SequenceLayout) {
    let ids = (0..33).map(|i| 4 + (i * 7) % 50).collect::<Vec<i64>>();
    (Tensor::from_data(TensorData::new(ids, [33]), &Device::flex()), SequenceLayout::packed(vec![20, 1, 12]))
}

/// With `cls`, the last layer computes only the first tokens. Dropout masks are those of all tokens.
#[test]
fn the_classifier_reads_the_first_token_or_the_mean() {
    let (ids, layout) = batch();
    for pooling in [ClassifierPooling::Cls, ClassifierPooling::Mean] {
        let mut encoder = encoder(pooling);
        (encoder.hidden_dropout_prob, encoder.attention_probs_dropout_prob) = (0.3, 0.3);
        encoder.modernbert.as_mut().unwrap().mlp_dropout = 0.3;
        let model = random(encoder);
        for context in [ForwardContext::default(), with_dropout()] {
            let states = model.base_model.forward(ids.clone(), &layout, context);
            let pooled = match pooling {
                ClassifierPooling::Cls => first_tokens(states, &layout),
                ClassifierPooling::Mean => mean_pooling(states, &layout),
            };
            let expected = values(model.classify(pooled, context));
            let found = values(model.forward(ids.clone(), &layout, context));
            assert_close("logits", &found, &expected, 1e-5);
        }
    }
}

#[test]
fn each_rate_has_its_own_dropout() {
    let (ids, layout) = batch();
    let states = |set: &dyn Fn(&mut EncoderConfig), context| {
        let mut encoder = encoder(ClassifierPooling::Mean);
        set(&mut encoder);
        let model = random(encoder);
        let states = model.base_model.forward(ids.clone(), &layout, context);
        (values(states), values(model.forward(ids.clone(), &layout, context)))
    };
    let (expected, expected_logits) = states(&|_| (), with_dropout());
    assert_eq!(
        (&expected, &expected_logits),
        (&states(&|_| (), ForwardContext::default()).0, &expected_logits)
    );
    let set: [&dyn Fn(&mut EncoderConfig); 3] = [
        &|encoder| encoder.hidden_dropout_prob = 0.5,
        &|encoder| encoder.attention_probs_dropout_prob = 0.5,
        &|encoder| encoder.modernbert.as_mut().unwrap().mlp_dropout = 0.5,
    ];
    for set in set {
        assert_ne!(states(set, with_dropout()).0, expected);
        assert_eq!(states(set, ForwardContext::default()).0, expected);
    }
    let (found, logits) = states(&|encoder| encoder.classifier_dropout = Some(0.5), with_dropout());
    assert_eq!(found, expected);
    assert_ne!(logits, expected_logits);
}

/// A token reads others across one window for each layer.
#[test]
fn a_token_does_not_depend_on_tokens_beyond_its_windows() {
    let mut encoder = encoder(ClassifierPooling::Cls);
    encoder.modernbert.as_mut().unwrap().layer_types = Some(vec![LayerType::SlidingAttention; 2]);
    let model = random(encoder);
    let states = |last: i64| {
        let mut ids = vec![5i64; 30];
        ids[29] = last;
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [30]), &Device::flex());
        let states =
            model.base_model.forward(ids, &SequenceLayout::packed(vec![30]), ForwardContext::default());
        values(states).chunks(24).map(<[f32]>::to_vec).collect::<Vec<_>>()
    };
    let changed = states(5).iter().zip(states(9)).map(|(one, other)| *one != other).collect::<Vec<_>>();
    let window = 4;
    assert_eq!(changed, (0..30).map(|token| token >= 29 - 2 * window).collect::<Vec<_>>());
}

/// bf16 has 8 significant bits. Processors without it compute in fp32.
#[test]
fn logits_and_gradients_in_bf16_are_close_to_those_in_fp32() {
    for family in ["modernbert", "modernbert-cls"] {
        let golden = Golden::of(&format!("families/{family}/golden.safetensors"));
        let (directory, device) = (fixtures().join("families").join(family), Device::flex().autodiff());
        let model = from_pretrained(&directory, &config(family), 0, &device).unwrap().model;
        let context = ForwardContext { precision: Precision::Bf16, ..ForwardContext::default() };
        let logits = model.forward(golden.input_ids(&device), &golden.layout(), context);
        assert_close(family, &values(logits.clone()), &golden.floats("logits"), 3e-2);
        for (name, gradient) in gradients_by_name(&model, loss(logits, &golden).backward()) {
            assert_close(&name, &gradient, &golden.floats(&format!("grad.{name}")), 5e-2);
        }
    }
}

// ModernBertPreTrainedModel._init_weights of transformers 5.24
#[test]
fn new_weights_have_the_standard_deviations_of_transformers() {
    let encoder = EncoderConfig {
        vocab_size: 500,
        hidden_size: 64,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 96,
        ..(MODERNBERT.default_config)()
    };
    let config = AutoConfig::new(&MODERNBERT, encoder);
    let model = AutoModelForSequenceClassification::new(&config, 3, &Device::flex());
    let directory = tempfile::tempdir().unwrap();
    save_pretrained(&model, &config, directory.path()).unwrap();
    let bytes = fs::read(directory.path().join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let output = 0.02 / 2.0; // 0.02 / sqrt(2 · 2 layers)
    for (name, sigma) in [
        ("model.embeddings.tok_embeddings.weight", 0.02),
        ("model.layers.1.attn.Wqkv.weight", 0.02),
        ("model.layers.1.attn.Wo.weight", output),
        ("model.layers.0.mlp.Wi.weight", 0.02),
        ("model.layers.0.mlp.Wo.weight", output),
        ("head.dense.weight", output),
        ("classifier.weight", 0.125),
    ] {
        let data = tensors.tensor(name).unwrap().data().as_chunks::<4>().0;
        let found = data.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect::<Vec<_>>();
        let variance = found.iter().map(|value| value * value).sum::<f64>() / found.len() as f64;
        let tolerance = if found.len() < 1000 { 0.2 } else { 0.03 };
        assert!((variance.sqrt() / (0.8796 * sigma) - 1.0).abs() < tolerance, "{name}: {}", variance.sqrt());
        assert!(found.iter().all(|value| value.abs() <= 2.0 * sigma + 1e-9), "{name}");
    }
}

/// A pretrained ModernBERT has the dense layer and the norm of the head, for masked tokens.
#[test]
fn only_the_classifier_of_a_masked_language_model_is_new() {
    let (source, folder) = (fixtures().join("families/modernbert"), tempfile::tempdir().unwrap());
    let bytes = fs::read(source.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let kept = tensors.tensors().into_iter().filter(|(name, _)| !name.starts_with("classifier."));
    let bias = [0u8; 4 * 61];
    let bias = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![61], &bias).unwrap();
    let kept = kept.chain([("decoder.bias".to_string(), bias)]);
    safetensors::serialize_to_file(kept, None, &folder.path().join("model.safetensors")).unwrap();
    let mut json: Value =
        serde_json::from_str(&fs::read_to_string(source.join("config.json")).unwrap()).unwrap();
    json["architectures"] = json!(["ModernBertForMaskedLM"]);
    fs::write(folder.path().join("config.json"), json.to_string()).unwrap();
    let config = AutoConfig::from_dir(folder.path()).unwrap();
    let loaded = from_pretrained(folder.path(), &config, 0, &Device::flex()).unwrap();
    assert_eq!(loaded.newly_initialized, ["classifier.weight", "classifier.bias"]);
    assert_eq!(loaded.unused, ["decoder.bias"]);
    let names = parameters(&loaded.model).into_iter().map(|parameter| parameter.name).collect::<Vec<_>>();
    assert_eq!(names.len(), 18);
    assert!(names.contains(&"head.norm.weight".to_string()), "{names:?}");
}

#[test]
fn a_checkpoint_without_the_final_norm_is_refused() {
    let (source, folder) = (fixtures().join("families/modernbert"), tempfile::tempdir().unwrap());
    let bytes = fs::read(source.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let kept = tensors.tensors().into_iter().filter(|(name, _)| name != "model.final_norm.weight");
    safetensors::serialize_to_file(kept, None, &folder.path().join("model.safetensors")).unwrap();
    let error = from_pretrained(folder.path(), &config("modernbert"), 0, &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("model.final_norm.weight"), "{error}");
}
