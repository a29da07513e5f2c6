//! The sizes of the measured models: MiniLM-L6 and BERT-base.

use embert_model::EncoderConfig;

/// The name and the shape of a model.
pub(crate) struct ModelSize {
    pub name: &'static str,
    pub config: EncoderConfig,
}

pub(crate) fn minilm() -> ModelSize {
    let config = EncoderConfig {
        hidden_size: 384,
        intermediate_size: 1536,
        num_hidden_layers: 6,
        num_attention_heads: 12,
        ..EncoderConfig::default()
    };
    ModelSize { name: "minilm-l6", config }
}

pub(crate) fn bert_base() -> ModelSize {
    ModelSize { name: "bert-base", config: EncoderConfig::default() }
}
