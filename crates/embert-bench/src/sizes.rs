//! The sizes of the models that are measured: MiniLM-L6 and BERT-base.

use embert_model::EncoderConfig;

/// A model's name and shape.
pub(crate) struct Size {
    pub name: &'static str,
    pub config: EncoderConfig,
}

pub(crate) fn minilm() -> Size {
    let config = EncoderConfig {
        hidden_size: 384,
        intermediate_size: 1536,
        num_hidden_layers: 6,
        num_attention_heads: 12,
        ..EncoderConfig::default()
    };
    Size { name: "minilm-l6", config }
}

pub(crate) fn bert_base() -> Size {
    Size { name: "bert-base", config: EncoderConfig::default() }
}
