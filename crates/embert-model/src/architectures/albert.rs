//! ALBERT (Lan et al., 2020): BERT with layers that share their weights, smaller embeddings, GELU by tanh and no dropout
//! after the feed-forward network.

use serde_json::json;

use super::architecture::{Architecture, Head};
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::{EncoderConfig, HiddenAct};

/// Maximum number of layers. The weights, which are shared, do not limit it.
const MAX_LAYERS: usize = 1024;

/// ALBERT. PEFT has no default target modules for it.
pub static ALBERT: Architecture = Architecture {
    model_type: "albert",
    models: "albert-base-v2, albert-large-v2, albert-xlarge-v2",
    classifier_class: "AlbertForSequenceClassification",
    tokenizer_class: "AlbertTokenizer",
    has_word_pieces: false,
    default_config,
    keys,
    base_model_prefix: "albert",
    layers: "encoder.albert_layer_groups",
    embeddings: &["embeddings", "encoder.embedding_hidden_mapping_in"],
    ignored: &[],
    renames: &[
        ("embeddings.projection", "encoder.embedding_hidden_mapping_in"),
        ("embeddings.layer_norm", "embeddings.LayerNorm"),
        ("attention.self_attention", "albert_layers.0.attention"),
        ("attention.output.dense", "albert_layers.0.attention.dense"),
        ("attention.output.layer_norm", "albert_layers.0.attention.LayerNorm"),
        ("intermediate.dense", "albert_layers.0.ffn"),
        ("output.dense", "albert_layers.0.ffn_output"),
        ("output.layer_norm", "albert_layers.0.full_layer_layer_norm"),
        ("pooler.dense", "pooler"),
    ],
    has_pooler: true,
    final_norm: None,
    head: Head {
        dense: None,
        pretrained_dense: false,
        drops_input: false,
        norm: None,
        classifier: "classifier",
    },
    lora_target_modules: &[],
};

/// The defaults of AlbertConfig, which are those of albert-xxlarge.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 30000,
        embedding_size: Some(128),
        always_projects_embeddings: true,
        hidden_size: 4096,
        num_hidden_groups: Some(1),
        num_attention_heads: 64,
        intermediate_size: 16384,
        hidden_act: HiddenAct::GeluNew,
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        drops_feed_forward_output: false,
        classifier_dropout: Some(0.1),
        ..EncoderConfig::default()
    }
}

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    keys.size("vocab_size", &mut config.vocab_size)?;
    keys.size("embedding_size", config.embedding_size.get_or_insert(128))?;
    keys.size("hidden_size", &mut config.hidden_size)?;
    keys.size("num_hidden_layers", &mut config.num_hidden_layers)?;
    keys.size("num_hidden_groups", config.num_hidden_groups.get_or_insert(1))?;
    keys.size("num_attention_heads", &mut config.num_attention_heads)?;
    keys.size("intermediate_size", &mut config.intermediate_size)?;
    keys.require("inner_group_num", 1)?;
    keys.value("hidden_act", &mut config.hidden_act)?;
    keys.rate("hidden_dropout_prob", &mut config.hidden_dropout_prob)?;
    keys.rate("attention_probs_dropout_prob", &mut config.attention_probs_dropout_prob)?;
    keys.size("max_position_embeddings", &mut config.max_position_embeddings)?;
    keys.size("type_vocab_size", config.type_vocab_size.get_or_insert(2))?;
    keys.require("position_embedding_type", "absolute".to_string())?;
    keys.positive("initializer_range", &mut config.initializer_range)?;
    keys.positive("layer_norm_eps", &mut config.layer_norm_eps)?;
    keys.rate("classifier_dropout_prob", config.classifier_dropout.get_or_insert(0.1))?;
    keys.value("pad_token_id", &mut config.pad_token_id)?;
    keys.preserve("bos_token_id", json!(2))?;
    keys.preserve("eos_token_id", json!(3))?;
    let (layers, groups) = (config.num_hidden_layers, config.num_stored_layers());
    if layers > MAX_LAYERS {
        return Err(keys.error(format!("num_hidden_layers is {layers}; the maximum is {MAX_LAYERS}")));
    }
    if groups > layers {
        let reason =
            format!("num_hidden_groups is {groups}; it must be at most num_hidden_layers, which is {layers}");
        return Err(keys.error(reason));
    }
    keys.divisible(("hidden_size", config.hidden_size), ("num_attention_heads", config.num_attention_heads))
}
