//! Sizes, dropout rates and structure of an encoder and its head, under the names in BERT's config.json.

use embert_kernels::GeluApproximation;
use serde::{Deserialize, Serialize};

use crate::deberta_config::DebertaConfig;
use crate::modernbert_config::{ClassifierPooling, ModernBertConfig};

/// Settings of embeddings, layers and head. Each family maps the keys of its config.json to these fields.
///
/// The default is bert-base-uncased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EncoderConfig {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// The rows of the position table that tokens read.
    pub positions: Positions,
    /// Number of rows of the position table, or of positions without a table. See [`max_length`](Self::max_length).
    pub max_position_embeddings: usize,
    /// Number of token types; `None` for a family without them.
    pub type_vocab_size: Option<usize>,
    /// True if the tokenizer decides the types of the tokens; false if all have type 0, as in RoBERTa with one type.
    pub pair_token_types: bool,
    /// Size of the embeddings; `None` means `hidden_size`. A linear layer projects another size to `hidden_size`.
    pub embedding_size: Option<usize>,
    /// True if that layer also exists when both sizes are equal.
    pub always_projects_embeddings: bool,
    /// Size of the hidden states.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of groups of layers that share their weights; `None` if no layers share weights.
    pub num_hidden_groups: Option<usize>,
    /// Number of attention heads of a layer; must divide `hidden_size`.
    pub num_attention_heads: usize,
    /// Size of the hidden layer of the feed-forward network.
    pub intermediate_size: usize,
    /// Activation of the feed-forward network.
    pub hidden_act: HiddenAct,
    /// ε of every LayerNorm.
    pub layer_norm_eps: f64,
    /// Dropout rate after the embeddings and before residual connections.
    pub hidden_dropout_prob: f64,
    /// Dropout rate of the attention probabilities.
    pub attention_probs_dropout_prob: f64,
    /// True if `hidden_dropout_prob` also applies after the output projection of attention.
    pub drops_attention_output: bool,
    /// True if `hidden_dropout_prob` also applies after the feed-forward network.
    pub drops_feed_forward_output: bool,
    /// Dropout rate before the classifier; `None` means `hidden_dropout_prob`.
    pub classifier_dropout: Option<f64>,
    /// Standard deviation of newly initialized weights.
    pub initializer_range: f64,
    /// Number of buckets of distances, each with an attention bias for each head; `None` for a family without this bias.
    pub relative_attention_num_buckets: Option<usize>,
    /// The id of the padding token.
    pub pad_token_id: Option<u32>,
    /// Settings of DeBERTa's attention and pooler; `None` for the attention of BERT.
    pub deberta: Option<DebertaConfig>,
    /// Settings of ModernBERT's layers and head; `None` for the layers of BERT.
    pub modernbert: Option<ModernBertConfig>,
}

/// The rows of the position table that tokens read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Positions {
    /// Token i of a sequence reads row i.
    Absolute,
    /// Token i of a sequence reads row `pad_token_id + 1 + i`, as in fairseq. A padding token in a text counts, too;
    /// transformers gives it row `pad_token_id` and does not count it.
    AbsoluteAfterPadding,
    /// There is no position table.
    None,
}

/// Activation of the feed-forward network, under its name in transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenAct {
    /// Exact GELU.
    Gelu,
    /// GELU with the approximation by tanh.
    GeluNew,
}

impl HiddenAct {
    pub(crate) fn approximation(self) -> GeluApproximation {
        match self {
            Self::Gelu => GeluApproximation::None,
            Self::GeluNew => GeluApproximation::Tanh,
        }
    }
}

impl EncoderConfig {
    /// Returns the number of layers with weights of their own.
    pub fn num_stored_layers(&self) -> usize {
        self.num_hidden_groups.unwrap_or(self.num_hidden_layers)
    }

    /// Returns the row of the position table that the first token of a sequence reads.
    pub fn first_position(&self) -> usize {
        match self.positions {
            Positions::Absolute | Positions::None => 0,
            Positions::AbsoluteAfterPadding => self.pad_token_id.map_or(0, |pad| pad as usize + 1),
        }
    }

    /// Returns the maximum number of tokens in a sequence, with special tokens.
    pub fn max_length(&self) -> usize {
        self.max_position_embeddings.saturating_sub(self.first_position())
    }

    /// Returns the hidden states that the classifier reads.
    pub fn classifier_pooling(&self) -> ClassifierPooling {
        self.modernbert.as_ref().map_or(ClassifierPooling::Cls, |modernbert| modernbert.classifier_pooling)
    }

    /// Returns the size of the embeddings.
    pub fn embedding_size(&self) -> usize {
        self.embedding_size.unwrap_or(self.hidden_size)
    }

    /// Returns true if a linear layer projects embeddings to hidden states.
    pub fn projects_embeddings(&self) -> bool {
        self.always_projects_embeddings || self.embedding_size() != self.hidden_size
    }
}
