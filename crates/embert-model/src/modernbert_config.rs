//! Settings that only ModernBERT has: positions by rotation, windows, and the pooling of the classifier.

use serde::{Deserialize, Serialize};

/// Settings of ModernBERT, under the names in its config.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModernBertConfig {
    /// Every n-th layer attends to all tokens, from the first layer on. The others attend to a window.
    pub global_attn_every_n_layers: usize,
    /// The attention of each layer, if it does not follow `global_attn_every_n_layers`.
    pub layer_types: Option<Vec<LayerType>>,
    /// Base of the rotary position embedding in layers that attend to all tokens.
    pub global_rope_theta: f64,
    /// Base of the rotary position embedding in layers with a window.
    pub local_rope_theta: f64,
    /// Number of tokens in a window. A token attends to half of them on each side, and to itself.
    pub local_attention: usize,
    /// Dropout rate before the second linear layer of the feed-forward network.
    pub mlp_dropout: f64,
    /// The hidden states that the classifier reads.
    pub classifier_pooling: ClassifierPooling,
    /// New weights are drawn again beyond this number of standard deviations.
    pub initializer_cutoff_factor: f64,
}

/// The attention of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerType {
    /// To all tokens.
    FullAttention,
    /// To the tokens of a window.
    SlidingAttention,
}

/// The hidden states that a classifier reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassifierPooling {
    /// Those of the first token.
    Cls,
    /// Their mean over all tokens.
    Mean,
}

impl ModernBertConfig {
    /// Returns the attention of a layer.
    pub fn layer_type(&self, layer: usize) -> LayerType {
        match &self.layer_types {
            Some(types) => types[layer],
            None if layer.is_multiple_of(self.global_attn_every_n_layers) => LayerType::FullAttention,
            None => LayerType::SlidingAttention,
        }
    }

    /// Returns the largest distance between tokens that attend to each other; `None` if all do.
    pub(crate) fn window(&self, layer: usize) -> Option<usize> {
        (self.layer_type(layer) == LayerType::SlidingAttention).then_some(self.local_attention / 2)
    }

    /// Returns the base of the rotary position embedding of a layer.
    pub(crate) fn rope_theta(&self, layer: usize) -> f64 {
        match self.layer_type(layer) {
            LayerType::FullAttention => self.global_rope_theta,
            LayerType::SlidingAttention => self.local_rope_theta,
        }
    }
}
