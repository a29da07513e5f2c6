//! RoBERTa (Liu et al., 2019): BERT with positions that begin after the padding, usually one token type, and a head of
//! two layers. XLM-RoBERTa and CamemBERT have the same architecture.

use burn::tensor::Tensor;
use serde_json::json;

use super::architecture::{Architecture, Head};
use super::bert;
use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::{EncoderConfig, Positions};

/// RoBERTa.
pub static ROBERTA: Architecture = Architecture {
    default_config: || EncoderConfig { vocab_size: 50265, ..default_config() },
    ..architecture("roberta")
};

/// Returns RoBERTa under another `model_type`. The caller sets the names that differ.
pub(super) const fn architecture(model_type: &'static str) -> Architecture {
    Architecture {
        model_type,
        models: "roberta-base, roberta-large, cardiffnlp/twitter-roberta-base",
        classifier_class: "RobertaForSequenceClassification",
        tokenizer_class: "RobertaTokenizer",
        has_word_pieces: false,
        default_config,
        keys,
        base_model_prefix: "roberta",
        layers: "encoder.layer",
        embeddings: &["embeddings"],
        ignored: &[],
        renames: bert::RENAMES,
        has_pooler: true,
        final_norm: None,
        head: Head {
            dense: Some(("classifier.dense", Tensor::tanh)),
            pretrained_dense: false,
            drops_input: true,
            norm: None,
            classifier: "classifier.out_proj",
        },
        lora_target_modules: &["query", "value"],
    }
}

/// The defaults of XLMRobertaConfig and CamembertConfig.
fn default_config() -> EncoderConfig {
    EncoderConfig {
        positions: Positions::AbsoluteAfterPadding,
        pad_token_id: Some(1),
        ..EncoderConfig::default()
    }
}

fn keys(config: &mut EncoderConfig, keys: &mut ConfigKeys<'_>) -> Result<(), ModelError> {
    bert::keys(config, keys)?;
    // RoBERTa's tokenizer gives all tokens type 0, but the model may have BertTokenizer.
    config.pair_token_types = config.type_vocab_size.is_some_and(|types| types > 1);
    keys.preserve("bos_token_id", json!(0))?;
    keys.preserve("eos_token_id", json!(2))?;
    if config.pad_token_id.is_none() {
        return Err(
            keys.error("pad_token_id is null; it must be a number, because positions begin after it".into())
        );
    }
    check_positions(config, keys)
}

/// Checks that the position table has rows after those of the padding.
pub(super) fn check_positions(config: &EncoderConfig, keys: &ConfigKeys<'_>) -> Result<(), ModelError> {
    if config.max_length() == 0 {
        let (positions, first) = (config.max_position_embeddings, config.first_position());
        return Err(keys.error(format!(
            "max_position_embeddings is {positions}; it must be greater than pad_token_id + 1, which is {first}"
        )));
    }
    Ok(())
}
