//! DeBERTa-v2 and v3 (He et al., 2021): BERT with disentangled attention instead of positions, and a pooler of its own.

use super::architecture::{Architecture, Head, gelu};
use super::bert;
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::deberta_config::{DebertaConfig, PosAttType};
use crate::encoder_config::{EncoderConfig, Positions};

/// DeBERTa-v2 and v3.
pub static DEBERTA_V2: Architecture = Architecture {
    model_type: "deberta-v2",
    models: "microsoft/deberta-v3-base, microsoft/deberta-v3-large, microsoft/mdeberta-v3-base",
    classifier_class: "DebertaV2ForSequenceClassification",
    tokenizer_class: "DebertaV2Tokenizer",
    has_word_pieces: false,
    default_config,
    keys,
    base_model_prefix: "deberta",
    layers: "encoder.layer",
    embeddings: &["embeddings", "encoder.rel_embeddings", "encoder.LayerNorm"],
    ignored: &[
        // of pretraining, which reads positions
        "embeddings.position_embeddings.weight",
        // copies in deberta-v3-xsmall and mdeberta-v3-base
        "embeddings.position_embeddings._weight",
        "embeddings.word_embeddings._weight",
    ],
    renames: &[
        ("attention.self_attention.query", "attention.self.query_proj"),
        ("attention.self_attention.key", "attention.self.key_proj"),
        ("attention.self_attention.value", "attention.self.value_proj"),
        ("layer_norm", "LayerNorm"),
    ],
    has_pooler: false,
    final_norm: None,
    head: Head {
        dense: Some(("pooler.dense", gelu)),
        pretrained_dense: false,
        drops_input: true,
        norm: None,
        classifier: "classifier",
    },
    lora_target_modules: &["query_proj", "value_proj"],
};

/// The settings of deberta-v2-xlarge, without its convolution.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 128_100,
        positions: Positions::None,
        type_vocab_size: None,
        hidden_size: 1536,
        num_hidden_layers: 24,
        num_attention_heads: 24,
        intermediate_size: 6144,
        layer_norm_eps: 1e-7,
        deberta: Some(default_deberta()),
        ..EncoderConfig::default()
    }
}

fn default_deberta() -> DebertaConfig {
    DebertaConfig {
        position_buckets: None,
        max_relative_positions: None,
        pos_att_type: PosAttType { c2p: true, p2c: true },
        pooler_dropout: 0.0,
    }
}

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    bert::sizes(config, keys)?;
    keys.require("embedding_size", config.hidden_size)?;
    keys.require("attention_head_size", config.hidden_size / config.num_attention_heads)?;
    keys.require("hidden_act", "gelu".to_string())?;
    keys.rate("hidden_dropout_prob", &mut config.hidden_dropout_prob)?;
    keys.rate("attention_probs_dropout_prob", &mut config.attention_probs_dropout_prob)?;
    keys.size("max_position_embeddings", &mut config.max_position_embeddings)?;
    keys.require("type_vocab_size", 0)?;
    keys.require("position_biased_input", false)?;
    keys.require("conv_kernel_size", 0)?;
    keys.positive("initializer_range", &mut config.initializer_range)?;
    keys.positive("layer_norm_eps", &mut config.layer_norm_eps)?;
    keys.value("pad_token_id", &mut config.pad_token_id)?;
    keys.optional_rate("cls_dropout", &mut config.classifier_dropout)?;
    keys.require("pooler_hidden_size", config.hidden_size)?;
    keys.require("pooler_hidden_act", "gelu".to_string())?;
    let max_position_embeddings = config.max_position_embeddings;
    relative_keys(config.deberta.get_or_insert_with(default_deberta), max_position_embeddings, keys)
}

/// Reads the keys of disentangled attention, and of the pooler's dropout.
fn relative_keys(
    config: &mut DebertaConfig,
    max_position_embeddings: usize,
    keys: &mut ConfigKeys<'_>,
) -> Result<(), ModelError> {
    keys.rate("pooler_dropout", &mut config.pooler_dropout)?;
    keys.require("relative_attention", true)?;
    keys.require("share_att_key", true)?;
    keys.require("norm_rel_ebd", "layer_norm".to_string())?;
    keys.value("pos_att_type", &mut config.pos_att_type)?;
    if config.pos_att_type == (PosAttType { c2p: false, p2c: false }) {
        return Err(keys.error("pos_att_type is empty; it must contain c2p or p2c".into()));
    }
    positions("position_buckets", &mut config.position_buckets, keys)?;
    positions("max_relative_positions", &mut config.max_relative_positions, keys)?;
    let max = config.relative_positions(max_position_embeddings).max_relative_positions;
    match config.position_buckets {
        Some(buckets) if buckets < 2 || max <= buckets / 2 + 1 => Err(keys.error(format!(
            "position_buckets is {buckets}; it must be at least 2, and less than twice the {max} relative positions"
        ))),
        _ => Ok(()),
    }
}

/// Reads a number of positions, where -1 means none.
fn positions(
    key: &'static str,
    positions: &mut Option<usize>,
    keys: &mut ConfigKeys<'_>,
) -> Result<(), ModelError> {
    let mut number = positions.map_or(-1, |positions| positions as i32);
    keys.value(key, &mut number)?;
    *positions = usize::try_from(number).ok().filter(|&positions| positions > 0);
    Ok(())
}
