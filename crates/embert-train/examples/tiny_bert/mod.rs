//! The config of a BERT that trains in a second, for the examples.

use embert_model::{AutoConfig, BERT, EncoderConfig};

/// Returns a config with two layers of width 32, for texts of up to 16 tokens.
pub(crate) fn config(vocab_size: usize) -> AutoConfig {
    let encoder = EncoderConfig {
        vocab_size,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 64,
        max_position_embeddings: 16,
        initializer_range: 0.1, // wider than BERT's 0.02, because the model is small
        ..EncoderConfig::default()
    };
    AutoConfig::new(&BERT, encoder)
}
