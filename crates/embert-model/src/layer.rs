//! A transformer layer: attention, then LayerNorm(x + dropout(gelu(xW₁ + b₁)W₂ + b₂)) (Devlin et al., 2018).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{DropoutSite, Precision, SequenceLayout, bias_gelu_linear, linear};

use crate::encoder_config::EncoderConfig;
use crate::{BertAttention, LayerNorm, Linear, Pass};

/// gelu(xW + b).
#[derive(Module, Debug)]
pub struct BertIntermediate {
    /// `[hidden, intermediate]`
    pub dense: Linear,
}

/// LayerNorm(residual + dropout(xW + b)).
#[derive(Module, Debug)]
pub struct BertOutput {
    /// `[intermediate, hidden]`
    pub dense: Linear,
    /// After the residual connection.
    pub layer_norm: LayerNorm,
}

/// One transformer layer.
#[derive(Module, Debug)]
pub struct BertLayer {
    /// The first half.
    pub attention: BertAttention,
    /// The feed-forward network's first product and its activation.
    pub intermediate: BertIntermediate,
    /// The feed-forward network's second product, the residual connection and its norm.
    pub output: BertOutput,
    attention_probs_dropout: f64,
    attention_output_dropout: f64,
    output_dropout: f64,
}

/// The dropout sites of one layer: none when nothing is dropped.
#[derive(Clone, Copy)]
pub(crate) struct LayerDropout {
    pub(crate) attention_probs: Option<DropoutSite>,
    pub(crate) attention_output: Option<DropoutSite>,
    pub(crate) output: Option<DropoutSite>,
}

impl BertLayer {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        Self {
            attention: BertAttention::zeros(config, device),
            intermediate: BertIntermediate { dense: Linear::zeros(hidden, intermediate, device) },
            output: BertOutput {
                dense: Linear::zeros(intermediate, hidden, device),
                layer_norm: LayerNorm::zeros(config, device),
            },
            attention_probs_dropout: config.attention_probs_dropout,
            attention_output_dropout: config.attention_output_dropout,
            output_dropout: config.output_dropout,
        }
    }

    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, layout: &SequenceLayout, layer: usize, pass: Pass) -> Tensor<2> {
        let dropout = self.dropout(layer, pass);
        let x = self.attention.forward(x, layout, dropout, pass.precision);
        self.feed_forward(x, layout, dropout, pass.precision)
    }

    /// The rows of [`forward`](Self::forward) that belong to each sequence's first token; only keys and values are computed
    /// for the others.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub fn forward_first(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        layer: usize,
        pass: Pass,
    ) -> Tensor<2> {
        let dropout = self.dropout(layer, pass);
        let x = self.attention.forward_first(x, layout, dropout, pass.precision); // [batch, hidden]
        self.feed_forward(x, &layout.first_tokens(), dropout, pass.precision)
    }

    /// LayerNorm(x + dropout(gelu(xW₁ + b₁)·W₂ + b₂)) of the rows of `layout`.
    fn feed_forward(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        dropout: LayerDropout,
        precision: Precision,
    ) -> Tensor<2> {
        let (first, second) = (&self.intermediate.dense, &self.output.dense);
        let h = linear(x.clone(), first.weight.val(), None, precision); // [rows, intermediate]
        let h = bias_gelu_linear(h, first.bias.val(), second.weight.val(), second.bias.val(), precision);
        self.output.layer_norm.add_forward(h, x, layout, dropout.output)
    }

    fn dropout(&self, layer: usize, pass: Pass) -> LayerDropout {
        let site = |number, rate| pass.site(layer, number, rate);
        LayerDropout {
            attention_probs: site(0, self.attention_probs_dropout),
            attention_output: site(1, self.attention_output_dropout),
            output: site(2, self.output_dropout),
        }
    }
}
