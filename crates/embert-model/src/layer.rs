//! A transformer layer: attention, then LayerNorm(x + dropout(gelu(xW₁ + b₁)W₂ + b₂)) (Devlin et al., 2018).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{SequenceLayout, bias_gelu, bias_gelu_linear, linear};

use crate::attention::BertAttention;
use crate::encoder_config::EncoderConfig;
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::pass::{AdapterSite, LayerPass, Pass};

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

impl BertLayer {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        let rate = config.hidden_dropout_prob;
        Self {
            attention: BertAttention::zeros(config, device),
            intermediate: BertIntermediate { dense: Linear::zeros(hidden, intermediate, device) },
            output: BertOutput {
                dense: Linear::zeros(intermediate, hidden, device),
                layer_norm: LayerNorm::zeros(config, device),
            },
            attention_probs_dropout: config.attention_probs_dropout_prob,
            attention_output_dropout: if config.drops_attention_output { rate } else { 0.0 },
            output_dropout: rate,
        }
    }

    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, layout: &SequenceLayout, layer: usize, pass: Pass) -> Tensor<2> {
        let pass = self.pass(layer, pass);
        let x = self.attention.forward(x, layout, pass);
        self.feed_forward(x, layout, pass)
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
        let pass = self.pass(layer, pass);
        let x = self.attention.forward_first(x, layout, pass); // [batch, hidden]
        self.feed_forward(x, &layout.first_tokens(), pass)
    }

    /// LayerNorm(x + dropout(gelu(xW₁ + b₁)·W₂ + b₂)) of the rows of `layout`.
    fn feed_forward(&self, x: Tensor<2>, layout: &SequenceLayout, pass: LayerPass) -> Tensor<2> {
        let (first, second, precision) = (&self.intermediate.dense, &self.output.dense, pass.pass.precision);
        let h = linear(x.clone(), first.weight.val(), None, precision); // [rows, intermediate]
        let h = first.add_adapter(h, x.clone(), pass.at(AdapterSite::Intermediate, layout));
        let y = match &second.lora {
            None => {
                let (weight, bias) = (second.weight.val(), second.bias());
                bias_gelu_linear(h, first.bias(), weight, bias, precision) // [rows, hidden]
            }
            Some(_) => second.forward(bias_gelu(h, first.bias()), pass.at(AdapterSite::Output, layout)),
        };
        self.output.layer_norm.add_forward(y, x, layout, pass.output)
    }

    fn pass(&self, layer: usize, pass: Pass) -> LayerPass {
        let site = |number, rate| pass.site(layer, number, rate);
        LayerPass {
            pass,
            layer,
            attention_probs: site(0, self.attention_probs_dropout),
            attention_output: site(1, self.attention_output_dropout),
            output: site(2, self.output_dropout),
        }
    }

    /// The linear layers by module path.
    pub(crate) fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        let attention = self.attention.linear_layers().into_iter();
        let mut layers =
            attention.map(|(path, linear)| (format!("attention.{path}"), linear)).collect::<Vec<_>>();
        layers.push(("intermediate.dense".into(), &mut self.intermediate.dense));
        layers.push(("output.dense".into(), &mut self.output.dense));
        layers
    }
}
