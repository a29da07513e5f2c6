//! Self-attention block of a layer: LayerNorm(x + dropout(W·attention(x) + b)).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{
    AttentionOptions, SequenceLayout, attention, disentangled_attention, first_token_attention, first_tokens,
    key_value, query_key_value,
};

use crate::encoder_config::EncoderConfig;
use crate::forward_context::{AdapterSite, LayerContext, LinearContext};
use crate::layer_norm::LayerNorm;
use crate::linear::{Linear, add_fused_adapters};
use crate::relative_attention::RelativeAttention;

/// Multi-head self-attention: dropout(softmax(QKᵀ/√d))·V with Q, K, V = xW + b (Vaswani et al., 2017). In DeBERTa, the
/// scores also depend on relative positions.
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
    /// - `relative`: `[2 · span, hidden]`, the relative embeddings of DeBERTa
    fn forward(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        context: LayerContext,
        relative: Option<Tensor<2>>,
    ) -> Tensor<2> {
        let (weights, biases) = weights_and_biases([&self.query, &self.key, &self.value]);
        let qkv = query_key_value(x.clone(), weights, biases, context.forward.precision); // [num_tokens, 3 · hidden]
        let query = (&self.query, context.at(AdapterSite::Query, layout));
        let qkv = add_fused_adapters(
            [query, self.key_at(layout, context), self.value_at(layout, context)],
            qkv,
            &x,
        );
        match self.relative.zip(relative) {
            None => attention(qkv, layout, self.options(context)),
            Some((relative, embeddings)) => {
                let relative = relative.projections(embeddings, [&self.key, &self.query], context);
                disentangled_attention(qkv, relative, layout, self.options(context))
            }
        }
    }

    /// Returns the context of the first token of each sequence. `first` holds the hidden states of these
    /// tokens.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - `first`, output: `[batch, hidden]`
    fn forward_first(
        &self,
        x: Tensor<2>,
        first: Tensor<2>,
        layout: &SequenceLayout,
        context: LayerContext,
        relative: Option<Tensor<2>>,
    ) -> Tensor<2> {
        if self.relative.is_some() {
            return first_tokens(self.forward(x, layout, context, relative), layout);
        }
        let query = self.query.forward(first, context.at(AdapterSite::Query, &layout.first_tokens()));
        let (weights, biases) = weights_and_biases([&self.key, &self.value]);
        let key_value = key_value(x.clone(), weights, biases, context.forward.precision); // [num_tokens, 2 · hidden]
        let key_value =
            add_fused_adapters([self.key_at(layout, context), self.value_at(layout, context)], key_value, &x);
        first_token_attention(query, key_value, layout, self.options(context))
    }

    fn options(&self, context: LayerContext) -> AttentionOptions {
        let (dropout, precision) = (context.attention_probs, context.forward.precision);
        AttentionOptions { num_heads: self.num_heads, window: None, dropout, precision }
    }

    fn key_at<'a>(
        &'a self,
        layout: &'a SequenceLayout,
        context: LayerContext,
    ) -> (&'a Linear, LinearContext<'a>) {
        (&self.key, context.at(AdapterSite::Key, layout))
    }

    fn value_at<'a>(
        &'a self,
        layout: &'a SequenceLayout,
        context: LayerContext,
    ) -> (&'a Linear, LinearContext<'a>) {
        (&self.value, context.at(AdapterSite::Value, layout))
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
    fn forward(
        &self,
        context_layer: Tensor<2>,
        residual: Tensor<2>,
        layout: &SequenceLayout,
        context: LayerContext,
    ) -> Tensor<2> {
        let x = self.dense.forward(context_layer, context.at(AdapterSite::AttentionOutput, layout));
        self.layer_norm.add_forward(x, residual, layout, context.attention_output)
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
    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        context: LayerContext,
        relative: Option<Tensor<2>>,
    ) -> Tensor<2> {
        let context_layer = self.self_attention.forward(x.clone(), layout, context, relative);
        self.output.forward(context_layer, x, layout, context)
    }

    /// Returns the hidden states of the first token of each sequence.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub(crate) fn forward_first(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        context: LayerContext,
        relative: Option<Tensor<2>>,
    ) -> Tensor<2> {
        let first = first_tokens(x.clone(), layout); // [batch, hidden]
        let context_layer = self.self_attention.forward_first(x, first.clone(), layout, context, relative);
        self.output.forward(context_layer, first, &layout.first_tokens(), context)
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
