//! Sizes and dropout rates of an encoder and its head, under the names in BERT's config.json.

use serde::{Deserialize, Serialize};

/// Settings of embeddings, layers and head. Each family maps the keys of its config.json to these fields.
///
/// The default is bert-base-uncased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncoderConfig {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Maximum number of tokens in a sequence.
    pub max_position_embeddings: usize,
    /// Number of token types; `None` for a family without them.
    pub type_vocab_size: Option<usize>,
    /// Size of the hidden states.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads of a layer; must divide `hidden_size`.
    pub num_attention_heads: usize,
    /// Size of the hidden layer of the feed-forward network.
    pub intermediate_size: usize,
    /// ε of every LayerNorm.
    pub layer_norm_eps: f64,
    /// Dropout rate after the embeddings and before each residual connection.
    pub hidden_dropout_prob: f64,
    /// Dropout rate of the attention probabilities.
    pub attention_probs_dropout_prob: f64,
    /// True if `hidden_dropout_prob` also applies after the output projection of attention.
    pub drops_attention_output: bool,
    /// Dropout rate before the classifier; `None` means `hidden_dropout_prob`.
    pub classifier_dropout: Option<f64>,
    /// Standard deviation of newly initialized weights.
    pub initializer_range: f64,
    /// The id of the padding token.
    pub pad_token_id: Option<u32>,
}
