//! Self-attention block of a layer: LayerNorm(x + dropout(W·attention(x) + b)).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{
    AttentionOptions, attention, disentangled_attention, first_token_attention, first_tokens, key_value,
    query_key_value,
};

use crate::encoder_config::EncoderConfig;
use crate::forward_context::{AdapterSite, LayerContext, LinearContext};
use crate::layer_norm::LayerNorm;
use crate::linear::{Linear, add_fused_adapters};
use crate::relative_attention::RelativeAttention;

/// Multi-head self-attention: dropout(softmax(QKᵀ/√d))·V with Q, K, V = xW + b (Vaswani et al., 2017). In DeBERTa
/// and MPNet, the scores also depend on relative positions.
#[derive(Module, Debug)]
pub struct BertSelfAttention {
    /// Query projection, `[hidden, hidden]`.
    pub query: Linear,
    /// Key projection, `[hidden, hidden]`.
    pub key: Linear,
    /// Value projection, `[hidden, hidden]`.
    pub value: Linear,
    num_heads: usize,
    #[module(skip)]
    relative: Option<RelativeAttention>,
}

impl BertSelfAttention {
    fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let square = || Linear::zeros(config.hidden_size, config.hidden_size, device);
        Self {
            query: square(),
            key: square(),
            value: square(),
            num_heads: config.num_attention_heads,
            relative: RelativeAttention::new(config),
        }
    }

    /// Returns the context of each token.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    fn forward(&self, x: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let (weights, biases) = weights_and_biases([&self.query, &self.key, &self.value]);
        let qkv = query_key_value(x.clone(), weights, biases, context.forward.precision); // [num_tokens, 3 · hidden]
        let query = (&self.query, context.at(AdapterSite::Query));
        let [key, value] = self.key_value_at(context);
        let qkv = add_fused_adapters([query, key, value], qkv, &x);
        match (self.relative, context.relative.cloned()) {
            (Some(relative), Some(embeddings)) => {
                let relative = relative.projections(embeddings, [&self.key, &self.query], context);
                disentangled_attention(qkv, relative, context.layout, self.options(context))
            }
            (_, bias) => attention(qkv, bias, context.layout, self.options(context)),
        }
    }

    /// Returns the context of the first token of each sequence. `first` holds the hidden states of these
    /// tokens, and `of_first` is their context in the layer.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - `first`, output: `[batch, hidden]`
    fn forward_first(
        &self,
        x: Tensor<2>,
        first: Tensor<2>,
        context: LayerContext<'_>,
        of_first: LayerContext<'_>,
    ) -> Tensor<2> {
        if self.relative.is_some() {
            return first_tokens(self.forward(x, context), context.layout);
        }
        let query = self.query.forward(first, of_first.at(AdapterSite::Query));
        let (weights, biases) = weights_and_biases([&self.key, &self.value]);
        let key_value = key_value(x.clone(), weights, biases, context.forward.precision); // [num_tokens, 2 · hidden]
        let key_value = add_fused_adapters(self.key_value_at(context), key_value, &x);
        let bias = context.relative.cloned();
        first_token_attention(query, key_value, bias, context.layout, self.options(context))
    }

    fn options(&self, context: LayerContext<'_>) -> AttentionOptions {
        let (dropout, precision) = (context.attention_probs, context.forward.precision);
        AttentionOptions { num_heads: self.num_heads, window: None, dropout, precision }
    }

    fn key_value_at<'a>(&'a self, context: LayerContext<'a>) -> [(&'a Linear, LinearContext<'a>); 2] {
        [(&self.key, context.at(AdapterSite::Key)), (&self.value, context.at(AdapterSite::Value))]
    }
}

fn weights_and_biases<const N: usize>(layers: [&Linear; N]) -> ([Tensor<2>; N], [Option<Tensor<1>>; N]) {
    (layers.map(|layer| layer.weight.val()), layers.map(Linear::bias))
}

/// Output projection with a residual connection: LayerNorm(residual + dropout(xW + b)).
#[derive(Module, Debug)]
pub struct BertSelfOutput {
    /// Output projection, `[hidden, hidden]`.
    pub dense: Linear,
    /// LayerNorm after the residual connection.
    pub layer_norm: LayerNorm,
}

impl BertSelfOutput {
    fn forward(&self, context_layer: Tensor<2>, residual: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let x = self.dense.forward_without_bias(context_layer, context.at(AdapterSite::AttentionOutput));
        let (bias, dropout) = (self.dense.bias(), context.attention_output);
        self.layer_norm.add_forward([x, residual], bias, context.layout, dropout)
    }
}

/// Self-attention block: multi-head self-attention, output projection, residual connection and LayerNorm.
#[derive(Module, Debug)]
pub struct BertAttention {
    /// Multi-head self-attention.
    pub self_attention: BertSelfAttention,
    /// Output projection, residual connection and LayerNorm.
    pub output: BertSelfOutput,
}

impl BertAttention {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let output = BertSelfOutput {
            dense: Linear::zeros(config.hidden_size, config.hidden_size, device),
            layer_norm: LayerNorm::zeros(config.hidden_size, config, device),
        };
        Self { self_attention: BertSelfAttention::zeros(config, device), output }
    }

    /// Returns the hidden states of all tokens.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub(crate) fn forward(&self, x: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let context_layer = self.self_attention.forward(x.clone(), context);
        self.output.forward(context_layer, x, context)
    }

    /// Returns the hidden states of the first token of each sequence. `of_first` is their context in the layer.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub(crate) fn forward_first(
        &self,
        x: Tensor<2>,
        context: LayerContext<'_>,
        of_first: LayerContext<'_>,
    ) -> Tensor<2> {
        let first = first_tokens(x.clone(), context.layout); // [batch, hidden]
        let attention = &self.self_attention;
        let context_layer = attention.forward_first(x, first.clone(), context, of_first);
        self.output.forward(context_layer, first, of_first)
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> [(&'static str, &mut Linear); 4] {
        let attention = &mut self.self_attention;
        [
            ("self_attention.query", &mut attention.query),
            ("self_attention.key", &mut attention.key),
            ("self_attention.value", &mut attention.value),
            ("output.dense", &mut self.output.dense),
        ]
    }
}
