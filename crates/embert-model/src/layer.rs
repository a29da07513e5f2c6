//! Transformer layer (Devlin et al., 2018): self-attention, then LayerNorm(x + dropout(gelu(xW₁ + b₁)W₂ + b₂)).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{GeluApproximation, bias_gelu, bias_gelu_linear};

use crate::attention::BertAttention;
use crate::encoder_config::EncoderConfig;
use crate::forward_context::{AdapterSite, EncoderContext, LayerContext};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;

/// First linear layer of the feed-forward network: gelu(xW + b).
#[derive(Module, Debug)]
pub struct BertIntermediate {
    /// The linear layer, `[hidden, intermediate]`.
    pub dense: Linear,
}

/// Second linear layer of the feed-forward network: LayerNorm(residual + dropout(xW + b)).
#[derive(Module, Debug)]
pub struct BertOutput {
    /// The linear layer, `[intermediate, hidden]`.
    pub dense: Linear,
    /// LayerNorm after the residual connection.
    pub layer_norm: LayerNorm,
}

/// Transformer layer: self-attention block and feed-forward network.
#[derive(Module, Debug)]
pub struct BertLayer {
    /// The self-attention block.
    pub attention: BertAttention,
    /// First linear layer of the feed-forward network and its activation.
    pub intermediate: BertIntermediate,
    /// Second linear layer of the feed-forward network, residual connection and LayerNorm.
    pub output: BertOutput,
    #[module(skip)]
    approximation: GeluApproximation,
    /// The rates after the softmax of attention, after its output projection and after the feed-forward network.
    dropout: [f64; 3],
}

impl BertLayer {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        let rate = config.hidden_dropout_prob;
        Self {
            attention: BertAttention::zeros(config, device),
            intermediate: BertIntermediate { dense: Linear::zeros(hidden, intermediate, device) },
            output: BertOutput {
                dense: Linear::zeros(intermediate, hidden, device),
                layer_norm: LayerNorm::zeros(hidden, config, device),
            },
            approximation: config.hidden_act.approximation(),
            dropout: [
                config.attention_probs_dropout_prob,
                if config.drops_attention_output { rate } else { 0.0 },
                if config.drops_feed_forward_output { rate } else { 0.0 },
            ],
        }
    }

    /// Returns the hidden states of all tokens. `layer` is the number of this layer, for dropout.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, layer: usize, context: &EncoderContext<'_>) -> Tensor<2> {
        let context = LayerContext::new(context, layer, self.dropout);
        self.feed_forward(self.attention.forward(x, context), context)
    }

    /// Returns the rows of [`forward`](Self::forward) for the first token of each sequence.
    /// For all other tokens, it computes only keys and values, and in DeBERTa their attention.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub fn forward_first(&self, x: Tensor<2>, layer: usize, context: &EncoderContext<'_>) -> Tensor<2> {
        let context = LayerContext::new(context, layer, self.dropout);
        let of_first = LayerContext { layout: &context.layout.first_tokens(), ..context };
        let x = self.attention.forward_first(x, context, of_first); // [batch, hidden]
        self.feed_forward(x, of_first)
    }

    /// Returns LayerNorm(x + dropout(gelu(xW₁ + b₁)·W₂ + b₂)).
    ///
    /// # Shapes
    /// - `x`, output: `[rows, hidden]`
    fn feed_forward(&self, x: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let (first, second, precision) =
            (&self.intermediate.dense, &self.output.dense, context.forward.precision);
        let h = first.forward_without_bias(x.clone(), context.at(AdapterSite::Intermediate)); // [rows, intermediate]
        let y = if second.lora.is_none() {
            bias_gelu_linear(h, first.bias(), second.weight.val(), self.approximation, precision)
        } else {
            let h = bias_gelu(h, first.bias(), self.approximation); // [rows, intermediate]
            second.forward_without_bias(h, context.at(AdapterSite::Output))
        }; // [rows, hidden]
        self.output.layer_norm.add_forward([y, x], second.bias(), context.layout, context.output)
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        let attention = self.attention.linear_layers().into_iter();
        let mut layers =
            attention.map(|(path, linear)| (format!("attention.{path}"), linear)).collect::<Vec<_>>();
        layers.push(("intermediate.dense".into(), &mut self.intermediate.dense));
        layers.push(("output.dense".into(), &mut self.output.dense));
        layers
    }
}
