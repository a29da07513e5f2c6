//! A layer of any family.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::encoder_config::EncoderConfig;
use crate::forward_context::EncoderContext;
use crate::layer::BertLayer;
use crate::linear::Linear;
use crate::modernbert_layer::ModernBertLayer;

/// Transformer layer of a family. Parameter names do not contain the name of the variant.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has few layers, all of one variant")]
pub enum EncoderLayer {
    /// Norms after the residual connections: BERT and most families.
    Bert(BertLayer),
    /// Norms before the blocks.
    ModernBert(ModernBertLayer),
}

impl EncoderLayer {
    pub(crate) fn zeros(config: &EncoderConfig, layer: usize, device: &Device) -> Self {
        match &config.modernbert {
            Some(modernbert) => Self::ModernBert(ModernBertLayer::zeros(config, modernbert, layer, device)),
            None => Self::Bert(BertLayer::zeros(config, device)),
        }
    }

    /// Returns the hidden states of all tokens. `layer` is the number of this layer, for dropout.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, layer: usize, context: &EncoderContext<'_>) -> Tensor<2> {
        match self {
            Self::Bert(this) => this.forward(x, layer, context),
            Self::ModernBert(this) => this.forward(x, layer, context),
        }
    }

    /// Returns the rows of [`forward`](Self::forward) for the first token of each sequence.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub fn forward_first(&self, x: Tensor<2>, layer: usize, context: &EncoderContext<'_>) -> Tensor<2> {
        match self {
            Self::Bert(this) => this.forward_first(x, layer, context),
            Self::ModernBert(this) => this.forward_first(x, layer, context),
        }
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        match self {
            Self::Bert(this) => this.linear_layers(),
            Self::ModernBert(this) => this.linear_layers(),
        }
    }
}
