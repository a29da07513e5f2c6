//! config.json: unsupported settings are refused with their key, and `architectures` selects the family.

use std::fs;

use embert_model::{
    AutoConfig, BERT, CAMEMBERT, DEBERTA_V2, DISTILBERT, ELECTRA, EncoderConfig, MODERNBERT, MPNET, ROBERTA,
    XLM_ROBERTA,
};
use tempfile::TempDir;

use crate::checkpoints::{checkpoint_of, error};

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
            "model_type is gpt2; only bert, distilbert, roberta, xlm-roberta, camembert, electra, albert, mpnet, deberta-v2 or modernbert is supported",
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
        ("mpnet", "relative_attention_num_buckets", 16.into(), "is 16; only 32 is supported"),
        ("mpnet", "pad_token_id", 0.into(), "pad_token_id is 0; only 1 is supported"),
        ("mpnet", "hidden_act", "relu".into(), "hidden_act is relu; only gelu is supported"),
        (
            "mpnet",
            "max_position_embeddings",
            2.into(),
            "it must be greater than pad_token_id + 1, which is 2",
        ),
        (
            "mpnet",
            "num_attention_heads",
            8.into(),
            "mpnet.encoder.relative_attention_bias.weight has shape [32, 4]; the model expects [32, 8]",
        ),
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
        ("MPNetForMaskedLM", &MPNET),
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
