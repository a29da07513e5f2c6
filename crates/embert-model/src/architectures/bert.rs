//! BERT (Devlin et al., 2018) and models with the same architecture, such as MiniLM.

use super::architecture::{Architecture, Head};
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::{EncoderConfig, HiddenAct, Positions};

/// The names of BERT's modules, which other families share.
pub(super) const RENAMES: &[(&str, &str)] =
    &[("attention.self_attention", "attention.self"), ("layer_norm", "LayerNorm")];

/// BERT.
pub static BERT: Architecture = Architecture {
    model_type: "bert",
    models: "bert-base-uncased, bert-base-multilingual-cased, sentence-transformers/all-MiniLM-L6-v2",
    classifier_class: "BertForSequenceClassification",
    tokenizer_class: "BertTokenizer",
    has_word_pieces: true,
    default_config: EncoderConfig::default,
    keys,
    base_model_prefix: "bert",
    layers: "encoder.layer",
    embeddings: &["embeddings"],
    ignored: &[],
    renames: RENAMES,
    has_pooler: true,
    final_norm: None,
    head: Head {
        dense: None,
        pretrained_dense: false,
        drops_input: false,
        norm: None,
        classifier: "classifier",
    },
    lora_target_modules: &["query", "value"],
};

impl Default for EncoderConfig {
    /// The settings of bert-base-uncased.
    fn default() -> Self {
        Self {
            vocab_size: 30522,
            positions: Positions::Absolute,
            max_position_embeddings: 512,
            type_vocab_size: Some(2),
            pair_token_types: true,
            embedding_size: None,
            always_projects_embeddings: false,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_hidden_groups: None,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: HiddenAct::Gelu,
            layer_norm_eps: 1e-12,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            drops_attention_output: true,
            drops_feed_forward_output: true,
            classifier_dropout: None,
            initializer_range: 0.02,
            relative_attention_num_buckets: None,
            pad_token_id: Some(0),
            deberta: None,
            modernbert: None,
        }
    }
}

/// Reads the keys of BERT, which other families share.
pub(super) fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    sizes(config, keys)?;
    keys.require("hidden_act", "gelu".to_string())?;
    keys.rate("hidden_dropout_prob", &mut config.hidden_dropout_prob)?;
    keys.rate("attention_probs_dropout_prob", &mut config.attention_probs_dropout_prob)?;
    keys.optional_rate("classifier_dropout", &mut config.classifier_dropout)?;
    keys.size("max_position_embeddings", &mut config.max_position_embeddings)?;
    keys.size("type_vocab_size", config.type_vocab_size.get_or_insert(2))?;
    keys.require("position_embedding_type", "absolute".to_string())?;
    keys.positive("initializer_range", &mut config.initializer_range)?;
    keys.positive("layer_norm_eps", &mut config.layer_norm_eps)?;
    keys.value("pad_token_id", &mut config.pad_token_id)?;
    keys.require("is_decoder", false)?;
    keys.require("add_cross_attention", false)
}

/// Reads the sizes of the vocabulary and of the layers.
pub(super) fn sizes(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    keys.size("vocab_size", &mut config.vocab_size)?;
    keys.size("hidden_size", &mut config.hidden_size)?;
    keys.size("num_hidden_layers", &mut config.num_hidden_layers)?;
    keys.size("num_attention_heads", &mut config.num_attention_heads)?;
    keys.size("intermediate_size", &mut config.intermediate_size)?;
    keys.divisible(("hidden_size", config.hidden_size), ("num_attention_heads", config.num_attention_heads))
}
