//! ELECTRA's discriminator (Clark et al., 2020): BERT with smaller embeddings, without pooler, and with RoBERTa's head
//! and GELU.

use super::architecture::{Architecture, Head, gelu};
use super::bert;
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::EncoderConfig;

/// ELECTRA.
pub static ELECTRA: Architecture = Architecture {
    model_type: "electra",
    models: "google/electra-small-discriminator, google/electra-base-discriminator",
    classifier_class: "ElectraForSequenceClassification",
    tokenizer_class: "ElectraTokenizer",
    has_word_pieces: true,
    default_config,
    keys,
    base_model_prefix: "electra",
    layers: "encoder.layer",
    embeddings: &["embeddings", "embeddings_project"],
    ignored: &[],
    renames: &[("embeddings.projection", "embeddings_project"), bert::RENAMES[0], bert::RENAMES[1]],
    has_pooler: false,
    final_norm: None,
    head: Head {
        dense: Some(("classifier.dense", gelu)),
        pretrained_dense: false,
        drops_input: true,
        norm: None,
        classifier: "classifier.out_proj",
    },
    lora_target_modules: &["query", "value"],
};

/// The settings of electra-small-discriminator.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        embedding_size: Some(128),
        hidden_size: 256,
        num_attention_heads: 4,
        intermediate_size: 1024,
        ..EncoderConfig::default()
    }
}

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    keys.size("embedding_size", config.embedding_size.get_or_insert(128))?;
    bert::keys(config, keys)
}
