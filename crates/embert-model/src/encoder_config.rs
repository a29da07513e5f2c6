//! The sizes and the rates of an encoder and its head, in the words of BERT's config.json.

use serde::{Deserialize, Serialize};

/// The settings that embeddings, layers and head are built from. A family with other keys maps them to these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncoderConfig {
    /// Number of ids that have an embedding.
    pub vocab_size: usize,
    /// Largest number of tokens in a sequence.
    pub max_position_embeddings: usize,
    /// Number of token types; `None` for a family without them.
    pub type_vocab_size: Option<usize>,
    /// Width of hidden states.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Attention heads of a layer; a divisor of `hidden_size`.
    pub num_attention_heads: usize,
    /// Width between the two products of the feed-forward network.
    pub intermediate_size: usize,
    /// ε of every LayerNorm.
    pub layer_norm_eps: f64,
    /// Dropout rate after the embeddings and before the residual connections of a layer.
    pub hidden_dropout_prob: f64,
    /// Dropout rate of attention probabilities.
    pub attention_probs_dropout_prob: f64,
    /// True if `hidden_dropout_prob` also applies after the projection of attention's output.
    pub drops_attention_output: bool,
    /// Dropout rate before the classifier; `hidden_dropout_prob` if `None`.
    pub classifier_dropout: Option<f64>,
    /// Standard deviation of new weights.
    pub initializer_range: f64,
    /// The id of the padding token.
    pub pad_token_id: Option<u32>,
}
