//! Loading and saving checkpoints, and errors for damaged or unsupported files.

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, BERT, CAMEMBERT, DEBERTA_V2, DISTILBERT, ELECTRA,
    EncoderConfig, ForwardContext, MODERNBERT, ModelError, Pretrained, ROBERTA, XLM_ROBERTA, from_pretrained,
    save_pretrained,
};
use safetensors::SafeTensors;
use tempfile::TempDir;

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};

/// Returns a checkpoint directory with the config.json of `model` and these weights.
fn checkpoint_of(model: &str, weights: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(fixtures().join(model).join("config.json"), directory.path().join("config.json")).unwrap();
    fs::copy(fixtures().join(weights), directory.path().join("model.safetensors")).unwrap();
    directory
}

/// The directories of the tiny models, one for each family.
const MODELS: [&str; 10] = [
    "tiny_bert",
    "tiny_distilbert",
    "families/roberta",
    "families/xlm-roberta",
    "families/camembert",
    "families/electra",
    "families/albert",
    "families/deberta-v2",
    "families/modernbert",
    "families/modernbert-cls",
];

fn checkpoint(weights: &str) -> TempDir {
    checkpoint_of("tiny_bert", weights)
}

fn load(directory: &Path) -> Result<Pretrained<AutoModelForSequenceClassification>, ModelError> {
    let config = AutoConfig::from_dir(directory)?;
    from_pretrained(directory, &config, 0, &Device::flex())
}

fn logits(model: &AutoModelForSequenceClassification) -> Vec<f32> {
    let golden = Golden::read();
    values(model.forward(golden.input_ids(&Device::flex()), &golden.layout(), ForwardContext::default()))
}

fn error(directory: &Path) -> String {
    let error = load(directory).expect_err("this must not load").to_string();
    error.replace(&directory.display().to_string(), "DIR")
}

#[test]
fn shards_load_as_one_checkpoint() {
    let directory = fixtures().join("tiny_bert_sharded");
    let model = load(&directory).unwrap().complete(&directory).unwrap();
    assert_close("logits", &logits(&model), &Golden::read().floats("logits"), 1e-5);
}

#[test]
fn half_precision_weights_are_converted_to_f32() {
    for (file, golden) in [("half.safetensors", "half.logits"), ("bf16.safetensors", "bf16.logits")] {
        let directory = checkpoint(file);
        let model = load(directory.path()).unwrap().model;
        assert_close(golden, &logits(&model), &Golden::read().floats(golden), 1e-5);
    }
}

#[test]
fn legacy_and_bare_checkpoints_lack_only_the_classifier() {
    for file in ["legacy_gamma_beta.safetensors", "no_prefix.safetensors"] {
        let directory = checkpoint(file);
        let loaded = load(directory.path()).unwrap();
        assert_eq!(loaded.newly_initialized, ["classifier.weight", "classifier.bias"]);
        let golden = Golden::read();
        let (model, layout) = (loaded.model.base_model, golden.layout());
        let states = model.forward(golden.input_ids(&Device::flex()), &layout, ForwardContext::default());
        let pooled = model.pooler_output(states, &layout, ForwardContext::default()).unwrap();
        assert_close(file, &values(pooled), &golden.floats("pooler_output"), 1e-5);
    }
}

#[test]
fn distilbert_checkpoints_without_a_head_lack_only_the_head() {
    for file in ["distilbert_masked_lm.safetensors", "distilbert_no_prefix.safetensors"] {
        let directory = checkpoint_of("tiny_distilbert", file);
        let loaded = load(directory.path()).unwrap();
        let head = ["pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias"];
        assert_eq!(loaded.newly_initialized, head);
        let golden = Golden::of_distilbert();
        let ids = golden.input_ids(&Device::flex());
        let states = loaded.model.base_model.forward(ids, &golden.layout(), ForwardContext::default());
        assert_close(file, &values(states), &golden.floats("hidden_states.2"), 1e-5);
    }
}

#[test]
fn a_checkpoint_without_a_classifier_is_not_complete() {
    let directory = checkpoint("no_prefix.safetensors");
    let error = load(directory.path()).unwrap().complete(directory.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("missing 2 of the model's tensors: classifier.weight, classifier.bias"),
        "{error}"
    );
}

#[test]
fn saved_tensors_equal_loaded_ones_bit_for_bit() {
    for fixture in MODELS {
        let saved = tempfile::tempdir().unwrap();
        let directory = fixtures().join(fixture);
        let config = AutoConfig::from_dir(&directory).unwrap();
        save_pretrained(&load(&directory).unwrap().model, &config, saved.path()).unwrap();
        let [before, after] =
            [directory.as_path(), saved.path()].map(|d| fs::read(d.join("model.safetensors")).unwrap());
        let [before, after] = [&before, &after].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        assert_eq!(before.len(), after.len());
        for (name, tensor) in before.tensors() {
            assert_eq!(tensor, after.tensor(&name).unwrap(), "{name}");
        }
    }
}

#[test]
fn saving_keeps_the_config() {
    for fixture in MODELS {
        let saved = tempfile::tempdir().unwrap();
        let directory = fixtures().join(fixture);
        let config = AutoConfig::from_dir(&directory).unwrap();
        save_pretrained(&load(&directory).unwrap().model, &config, saved.path()).unwrap();
        let bytes = fs::read(saved.path().join("model.safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap()["format"], "pt");
        assert_config_survives(&directory, saved.path());
    }
}

/// Checks that each saved key was in the original config.json with the same value. Defaults may be added.
#[track_caller]
fn assert_config_survives(directory: &Path, saved: &Path) {
    let [before, after] = [directory, saved].map(|directory| {
        let text = fs::read_to_string(directory.join("config.json")).unwrap();
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).unwrap()
    });
    for (key, value) in &after {
        match (key.as_str(), before.get(key)) {
            ("problem_type", None) => assert_eq!(value, "single_label_classification"),
            ("position_embedding_type", None) => assert_eq!(value, "absolute"),
            // ModernBERT's config is written with the keys of both generations; `modernbert.rs` checks them.
            ("layer_types" | "global_attn_every_n_layers", None) => {}
            ("rope_parameters" | "global_rope_theta" | "local_rope_theta", None) => {}
            (_, found) => assert_eq!(found, Some(value), "{key}"),
        }
    }
}

#[test]
fn random_weights_depend_only_on_the_seed() {
    for fixture in ["tiny_bert", "tiny_distilbert"] {
        let config = AutoConfig::from_dir(&fixtures().join(fixture)).unwrap();
        let new = |seed| AutoModelForSequenceClassification::new(&config, seed, &Device::flex());
        assert_eq!(logits(&new(1)), logits(&new(1)));
        assert_ne!(logits(&new(1)), logits(&new(2)));
        assert_eq!(new(1).num_params(), load(&fixtures().join(fixture)).unwrap().model.num_params());
    }
}

/// Returns a copy of a fixture with another value in config.json.
fn configured(model: &str, key: &str, value: serde_json::Value) -> TempDir {
    let directory = checkpoint_of(model, &format!("{model}/model.safetensors"));
    let path = directory.path().join("config.json");
    let mut config: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    config[key] = value;
    fs::write(path, config.to_string()).unwrap();
    directory
}

#[test]
fn unsupported_bert_configs_are_refused_by_key() {
    let cases = [
        ("hidden_act", "gelu_new".into(), "hidden_act is gelu_new; only gelu is supported"),
        (
            "position_embedding_type",
            "relative_key".into(),
            "position_embedding_type is relative_key; only absolute",
        ),
        ("is_decoder", true.into(), "is_decoder is true"),
        (
            "model_type",
            "gpt2".into(),
            "model_type is gpt2; only bert, distilbert, roberta, xlm-roberta, camembert, electra, albert, deberta-v2 or modernbert is supported",
        ),
        ("num_attention_heads", 5.into(), "hidden_size 32 is not a multiple of num_attention_heads 5"),
        (
            "hidden_dropout_prob",
            1.0.into(),
            "hidden_dropout_prob is 1; it must be at least 0 and less than 1",
        ),
        ("hidden_size", "32".into(), "invalid type: string"),
        (
            "vocab_size",
            100.into(),
            "bert.embeddings.word_embeddings.weight has shape [99, 32]; the model expects [100, 32]",
        ),
        ("num_hidden_layers", 3.into(), "missing 16 of the model's tensors: bert.encoder.layer.2."),
        ("num_hidden_layers", 1.into(), "16 unexpected tensors: bert.encoder.layer.1."),
        (
            "intermediate_size",
            65.into(),
            "bert.encoder.layer.0.intermediate.dense.weight has shape [64, 32]; the model expects [65, 32]",
        ),
    ];
    for (key, value, expected) in cases {
        let directory = configured("tiny_bert", key, value);
        let error = error(directory.path());
        assert!(error.contains(expected), "{key}: {error}");
    }
}

#[test]
fn unsupported_distilbert_configs_are_refused_by_key() {
    let cases = [
        ("activation", "relu".into(), "activation is relu; only gelu is supported"),
        ("n_layers", 0.into(), "n_layers is 0"),
        ("n_heads", 5.into(), "dim 32 is not a multiple of n_heads 5"),
        (
            "seq_classif_dropout",
            1.0.into(),
            "seq_classif_dropout is 1; it must be at least 0 and less than 1",
        ),
        (
            "vocab_size",
            100.into(),
            "distilbert.embeddings.word_embeddings.weight has shape [99, 32]; the model expects [100, 32]",
        ),
        ("n_layers", 3.into(), "missing 16 of the model's tensors: distilbert.transformer.layer.2."),
        ("n_layers", 1.into(), "16 unexpected tensors: distilbert.transformer.layer.1."),
        (
            "hidden_dim",
            65.into(),
            "distilbert.transformer.layer.0.ffn.lin1.weight has shape [64, 32]; the model expects [65, 32]",
        ),
    ];
    for (key, value, expected) in cases {
        let directory = configured("tiny_distilbert", key, value);
        let error = error(directory.path());
        assert!(error.contains(expected), "{key}: {error}");
    }
}

#[test]
fn unsupported_configs_of_other_families_are_refused_by_key() {
    let cases = [
        ("roberta", "pad_token_id", serde_json::Value::Null, "pad_token_id is null"),
        (
            "roberta",
            "max_position_embeddings",
            2.into(),
            "max_position_embeddings is 2; it must be greater than pad_token_id + 1, which is 2",
        ),
        (
            "roberta",
            "pad_token_id",
            u32::MAX.into(),
            "max_position_embeddings is 42; it must be greater than",
        ),
        ("camembert", "position_embedding_type", "relative_key".into(), "only absolute is supported"),
        ("xlm-roberta", "hidden_act", "relu".into(), "hidden_act is relu; only gelu is supported"),
        ("electra", "embedding_size", 0.into(), "embedding_size is 0"),
        (
            "electra",
            "embedding_size",
            24.into(),
            "electra.embeddings.word_embeddings.weight has shape [61, 16]; the model expects [61, 24]",
        ),
        (
            "albert",
            "hidden_act",
            "relu".into(),
            "hidden_act: unknown variant `relu`, expected `gelu` or `gelu_new`",
        ),
        ("albert", "inner_group_num", 2.into(), "inner_group_num is 2; only 1 is supported"),
        (
            "albert",
            "num_hidden_groups",
            4.into(),
            "num_hidden_groups is 4; it must be at most num_hidden_layers",
        ),
        (
            "albert",
            "num_hidden_groups",
            3.into(),
            "missing 16 of the model's tensors: albert.encoder.albert_layer_groups.2.",
        ),
        ("albert", "num_hidden_layers", 1_000_000_000.into(), "the maximum is 1024"),
        ("modernbert", "mlp_bias", true.into(), "mlp_bias is true; only false is supported"),
        (
            "modernbert",
            "num_attention_heads",
            8.into(),
            "hidden_size / num_attention_heads is 3; it must be even",
        ),
        (
            "modernbert",
            "hidden_activation",
            "silu".into(),
            "hidden_activation is silu; only gelu is supported",
        ),
        (
            "modernbert",
            "classifier_pooling",
            "max".into(),
            "classifier_pooling: unknown variant `max`, expected `cls` or `mean`",
        ),
        (
            "modernbert",
            "num_hidden_layers",
            2_000_000_000.into(),
            "num_hidden_layers is 2000000000; the maximum is 10000",
        ),
        (
            "modernbert",
            "initializer_cutoff_factor",
            0.into(),
            "initializer_cutoff_factor is 0; it must be at least 0.1",
        ),
        ("modernbert", "global_attn_every_n_layers", 0.into(), "global_attn_every_n_layers is 0"),
        ("modernbert", "local_rope_theta", 0.into(), "local_rope_theta is 0; it must be greater than 0"),
        ("modernbert", "num_hidden_layers", 1.into(), "6 unexpected tensors: model.layers.1."),
        ("modernbert-cls", "num_hidden_layers", 3.into(), "layer_types has 2 entries for 3 layers"),
        (
            "modernbert-cls",
            "rope_parameters",
            serde_json::json!({"full_attention": {"rope_type": "yarn", "rope_theta": 1000.0}}),
            "rope_parameters.full_attention.rope_type is yarn; only default is supported",
        ),
        (
            "modernbert-cls",
            "rope_scaling",
            serde_json::json!({"rope_type": "linear"}),
            "rope_scaling is {\"rope_type\":\"linear\"}; only null is supported",
        ),
        ("electra", "num_hidden_layers", 1.into(), "16 unexpected tensors: electra.encoder.layer.1."),
        ("deberta-v2", "conv_kernel_size", 3.into(), "conv_kernel_size is 3; only 0 is supported"),
        ("deberta-v2", "embedding_size", 16.into(), "embedding_size is 16; only 24 is supported"),
        ("deberta-v2", "attention_head_size", 8.into(), "attention_head_size is 8; only 6 is supported"),
        ("deberta-v2", "pooler_hidden_size", 8.into(), "pooler_hidden_size is 8; only 24 is supported"),
        ("deberta-v2", "type_vocab_size", 2.into(), "type_vocab_size is 2; only 0 is supported"),
        ("deberta-v2", "position_biased_input", true.into(), "position_biased_input is true"),
        ("deberta-v2", "relative_attention", false.into(), "relative_attention is false"),
        ("deberta-v2", "share_att_key", false.into(), "share_att_key is false; only true is supported"),
        ("deberta-v2", "norm_rel_ebd", "none".into(), "norm_rel_ebd is none; only layer_norm is supported"),
        ("deberta-v2", "pos_att_type", "p2p".into(), "pos_att_type is empty; it must contain c2p or p2c"),
        ("deberta-v2", "position_buckets", 1.into(), "position_buckets is 1; it must be at least 2"),
        (
            "deberta-v2",
            "max_relative_positions",
            5.into(),
            "position_buckets is 8; it must be at least 2, and less than twice the 5 relative positions",
        ),
        (
            "deberta-v2",
            "position_buckets",
            16.into(),
            "deberta.encoder.rel_embeddings.weight has shape [16, 24]; the model expects [32, 24]",
        ),
        ("deberta-v2", "position_buckets", (1u64 << 40).into(), "position_buckets: invalid value"),
    ];
    for (family, key, value, expected) in cases {
        let directory = configured(&format!("families/{family}"), key, value);
        let error = error(directory.path());
        assert!(error.contains(expected), "{family}, {key}: {error}");
    }
}

#[test]
fn architectures_select_the_family_without_a_model_type() {
    let read = |json: &str| {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.json"), json).unwrap();
        AutoConfig::from_dir(directory.path())
    };
    let distilbert = read(r#"{"architectures": ["DistilBertForMaskedLM"], "dim": 96}"#).unwrap();
    let expected = EncoderConfig { hidden_size: 96, ..(DISTILBERT.default_config)() };
    assert_eq!((distilbert.architecture, distilbert.encoder), (&DISTILBERT, expected));
    for class in ["BertModel", "BertForQuestionAnswering", "BertLMHeadModel", "BertPreTrainedModel"] {
        let bert = read(&format!(r#"{{"architectures": ["{class}"]}}"#)).unwrap();
        assert_eq!(bert.architecture, &BERT, "{class}");
    }
    let distilbert = read(r#"{"architectures": "DistilBertModel"}"#).unwrap();
    assert_eq!(distilbert.architecture, &DISTILBERT);
    assert_eq!(read("{}").unwrap(), AutoConfig::new(&BERT, EncoderConfig::default()));
    for (class, expected) in [
        ("RobertaForMaskedLM", &ROBERTA),
        ("XLMRobertaModel", &XLM_ROBERTA),
        ("CamembertForMaskedLM", &CAMEMBERT),
        ("ElectraForPreTraining", &ELECTRA),
        ("DebertaV2ForMaskedLM", &DEBERTA_V2),
        ("ModernBertForMaskedLM", &MODERNBERT),
    ] {
        let found = read(&format!(r#"{{"architectures": ["{class}"]}}"#)).unwrap();
        assert_eq!(found.architecture, expected, "{class}");
    }
    let error = read(r#"{"architectures": ["GPT2Model"]}"#).unwrap_err().to_string();
    assert!(error.contains("architectures is GPT2Model; only bert, distilbert, roberta, "), "{error}");
}

#[test]
fn unknown_keys_are_ignored_and_missing_keys_default_to_bert_base() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("config.json"),
        r#"{"hidden_size": 384, "use_cache": true, "num_labels": 3}"#,
    )
    .unwrap();
    let config = AutoConfig::from_dir(directory.path()).unwrap();
    assert_eq!((config.encoder.hidden_size, config.encoder.num_hidden_layers), (384, 12));
    assert_eq!(config.label_names(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
}

#[test]
fn damaged_files_are_named() {
    let truncated = checkpoint("tiny_bert/model.safetensors");
    let path = truncated.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(error(truncated.path()).starts_with("DIR/model.safetensors: not a valid safetensors file: "));
    fs::write(&path, "<!DOCTYPE html>").unwrap();
    assert!(error(truncated.path()).contains("does not fit in a file of 15 bytes"));
    fs::write(&path, "").unwrap();
    assert!(error(truncated.path()).contains("the file has 0 bytes, which is too short"));
    fs::remove_file(&path).unwrap();
    assert!(error(truncated.path()).starts_with("DIR: no model.safetensors"));
}
