//! The sizes of the models that are measured: MiniLM-L6, BERT-base, and a small one for tests.

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

/// Trained in a moment.
pub(crate) fn small() -> Size {
    let config = EncoderConfig {
        vocab_size: 8000,
        hidden_size: 256,
        intermediate_size: 1024,
        num_hidden_layers: 4,
        num_attention_heads: 4,
        ..EncoderConfig::default()
    };
    Size { name: "small", config }
}
