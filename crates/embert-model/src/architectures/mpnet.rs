//! MPNet (Song et al., 2020): RoBERTa without token types, with a relative position bias in attention.

use burn::tensor::Tensor;
use serde_json::json;

use super::architecture::{Architecture, Head};
use super::config_keys::ConfigKeys;
use super::{bert, roberta};
use crate::ModelError;
use crate::encoder_config::{EncoderConfig, Positions};
use crate::relative_bias::NUM_BUCKETS;

/// The id of padding. MPNetEmbeddings does not read it from config.json.
const PADDING: u32 = 1;

/// MPNet. PEFT has no default target modules for it.
pub static MPNET: Architecture = Architecture {
    model_type: "mpnet",
    models: "microsoft/mpnet-base, sentence-transformers/all-mpnet-base-v2",
    classifier_class: "MPNetForSequenceClassification",
    tokenizer_class: "MPNetTokenizer",
    has_word_pieces: false,
    default_config,
    keys,
    base_model_prefix: "mpnet",
    layers: "encoder.layer",
    embeddings: &["embeddings", "encoder.relative_attention_bias"],
    ignored: &[],
    renames: &[
        ("attention.self_attention.query", "attention.attn.q"),
        ("attention.self_attention.key", "attention.attn.k"),
        ("attention.self_attention.value", "attention.attn.v"),
        ("attention.output.dense", "attention.attn.o"),
        ("attention.output.layer_norm", "attention.LayerNorm"),
        ("layer_norm", "LayerNorm"),
    ],
    has_pooler: true,
    final_norm: None,
    head: Head {
        dense: Some(("classifier.dense", Tensor::tanh)),
        pretrained_dense: false,
        drops_input: true,
        norm: None,
        classifier: "classifier.out_proj",
    },
    lora_target_modules: &[],
};

/// The defaults of MPNetConfig.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        vocab_size: 30527,
        positions: Positions::AbsoluteAfterPadding,
        type_vocab_size: None,
        relative_attention_num_buckets: Some(NUM_BUCKETS),
        pad_token_id: Some(PADDING),
        ..EncoderConfig::default()
    }
}

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    bert::sizes(config, keys)?;
    keys.require("hidden_act", "gelu".to_string())?;
    keys.rate("hidden_dropout_prob", &mut config.hidden_dropout_prob)?;
    keys.rate("attention_probs_dropout_prob", &mut config.attention_probs_dropout_prob)?;
    keys.size("max_position_embeddings", &mut config.max_position_embeddings)?;
    keys.positive("initializer_range", &mut config.initializer_range)?;
    keys.positive("layer_norm_eps", &mut config.layer_norm_eps)?;
    keys.require("relative_attention_num_buckets", NUM_BUCKETS)?;
    keys.require("pad_token_id", PADDING)?;
    keys.preserve("bos_token_id", json!(0))?;
    keys.preserve("eos_token_id", json!(2))?;
    roberta::check_positions(config, keys)
}
