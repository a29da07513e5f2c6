//! DistilBERT (Sanh et al., 2019): BERT without token types, pooler and dropout after self-attention.

use burn::tensor::activation::relu;

use super::architecture::{Architecture, Head};
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::EncoderConfig;

/// DistilBERT.
pub static DISTILBERT: Architecture = Architecture {
    model_type: "distilbert",
    models: "distilbert-base-uncased, distilbert-base-multilingual-cased",
    classifier_class: "DistilBertForSequenceClassification",
    tokenizer_class: "DistilBertTokenizer",
    has_word_pieces: true,
    default_config,
    keys,
    base_model_prefix: "distilbert",
    layers: "transformer.layer",
    embeddings: &["embeddings"],
    ignored: &[],
    renames: &[
        ("attention.self_attention.query", "attention.q_lin"),
        ("attention.self_attention.key", "attention.k_lin"),
        ("attention.self_attention.value", "attention.v_lin"),
        ("attention.output.dense", "attention.out_lin"),
        ("attention.output.layer_norm", "sa_layer_norm"),
        ("intermediate.dense", "ffn.lin1"),
        ("output.dense", "ffn.lin2"),
        ("output.layer_norm", "output_layer_norm"),
        ("embeddings.layer_norm", "embeddings.LayerNorm"),
    ],
    has_pooler: false,
    final_norm: None,
    head: Head {
        dense: Some(("pre_classifier", relu)),
        pretrained_dense: false,
        drops_input: false,
        norm: None,
        classifier: "classifier",
    },
    lora_target_modules: &[],
};

/// The settings of distilbert-base-uncased. config.json has no key for the ε of LayerNorm.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        type_vocab_size: None,
        num_hidden_layers: 6,
        drops_attention_output: false,
        classifier_dropout: Some(0.2),
        ..EncoderConfig::default()
    }
}

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    keys.size("vocab_size", &mut config.vocab_size)?;
    keys.size("max_position_embeddings", &mut config.max_position_embeddings)?;
    keys.preserve("sinusoidal_pos_embds", false)?; // initialization before pretraining
    keys.size("n_layers", &mut config.num_hidden_layers)?;
    keys.size("n_heads", &mut config.num_attention_heads)?;
    keys.size("dim", &mut config.hidden_size)?;
    keys.size("hidden_dim", &mut config.intermediate_size)?;
    keys.rate("dropout", &mut config.hidden_dropout_prob)?;
    keys.rate("attention_dropout", &mut config.attention_probs_dropout_prob)?;
    keys.require("activation", "gelu".to_string())?;
    keys.positive("initializer_range", &mut config.initializer_range)?;
    keys.preserve("qa_dropout", 0.1)?; // another head
    keys.rate("seq_classif_dropout", config.classifier_dropout.get_or_insert(0.2))?;
    keys.value("pad_token_id", &mut config.pad_token_id)?;
    keys.divisible(("dim", config.hidden_size), ("n_heads", config.num_attention_heads))
}
