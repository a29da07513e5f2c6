//! Layer of ModernBERT (Warner et al., 2024): y = x + dropout(attention(norm(x))·Wo), then
//! y + dropout(gelu(a) ∘ g)·Wo with [a g] = norm(y)·Wi.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{
    AttentionOptions, add_residual, attention, dropout, first_token_attention, first_tokens, geglu,
    geglu_linear, rotary_embedding,
};

use crate::encoder_config::EncoderConfig;
use crate::forward_context::{AdapterSite, EncoderContext, LayerContext};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::modernbert_config::ModernBertConfig;

/// Multi-head self-attention with rotary position embedding, over all tokens or a window.
#[derive(Module, Debug)]
pub struct ModernBertAttention {
    /// Query, key and value projection, `[hidden, 3 · hidden]`.
    pub wqkv: Linear,
    /// Output projection, `[hidden, hidden]`.
    pub wo: Linear,
    num_heads: usize,
    window: Option<usize>,
    rope_theta: f64,
}

/// Feed-forward network with a gate: (gelu(a) ∘ g)·Wo with [a g] = x·Wi (Shazeer, 2020).
#[derive(Module, Debug)]
pub struct ModernBertMlp {
    /// The activated half and the gate, `[hidden, 2 · intermediate]`.
    pub wi: Linear,
    /// Second linear layer, `[intermediate, hidden]`.
    pub wo: Linear,
}

/// Layer with a norm before each block.
#[derive(Module, Debug)]
pub struct ModernBertLayer {
    /// LayerNorm before attention; `None` in the first layer, because the embeddings end with one.
    pub attn_norm: Option<LayerNorm>,
    /// The self-attention.
    pub attn: ModernBertAttention,
    /// LayerNorm before the feed-forward network.
    pub mlp_norm: LayerNorm,
    /// The feed-forward network.
    pub mlp: ModernBertMlp,
    /// The rates after the softmax of attention, after its output projection and in the feed-forward network.
    dropout: [f64; 3],
}

impl ModernBertAttention {
    fn zeros(config: &EncoderConfig, modernbert: &ModernBertConfig, layer: usize, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            wqkv: Linear::zeros_without_bias(hidden, 3 * hidden, device),
            wo: Linear::zeros_without_bias(hidden, hidden, device),
            num_heads: config.num_attention_heads,
            window: modernbert.window(layer),
            rope_theta: modernbert.rope_theta(layer),
        }
    }

    /// Returns query, key and value with rotated query and key.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[num_tokens, 3 · hidden]`
    fn query_key_value(&self, x: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let hidden = x.dims()[1];
        let qkv = self.wqkv.forward(x, context.at(AdapterSite::Query)); // [num_tokens, 3 · hidden]
        rotary_embedding(qkv, context.layout, 2 * hidden, hidden / self.num_heads, self.rope_theta)
    }

    fn options(&self, context: LayerContext<'_>) -> AttentionOptions {
        let (dropout, precision) = (context.attention_probs, context.forward.precision);
        AttentionOptions { num_heads: self.num_heads, window: self.window, dropout, precision }
    }

    /// Returns residual + dropout(x·Wo).
    ///
    /// # Shapes
    /// - `x`, `residual`, output: `[rows, hidden]`
    fn output(&self, x: Tensor<2>, residual: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let x = self.wo.forward(x, context.at(AdapterSite::AttentionOutput));
        add_residual(x, residual, context.layout, context.attention_output)
    }
}

impl ModernBertMlp {
    fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        Self {
            wi: Linear::zeros_without_bias(hidden, 2 * intermediate, device),
            wo: Linear::zeros_without_bias(intermediate, hidden, device),
        }
    }

    /// Returns dropout(gelu(a) ∘ g)·Wo with [a g] = x·Wi.
    ///
    /// # Shapes
    /// - `x`, output: `[rows, hidden]`
    fn forward(&self, x: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let x = self.wi.forward(x, context.at(AdapterSite::Intermediate)); // [rows, 2 · intermediate]
        let has_dropout = context.output.is_some_and(|site| site.rate > 0.0);
        if self.wo.lora.is_none() && !has_dropout {
            return geglu_linear(x, self.wo.weight.val(), context.forward.precision);
        }
        let x = dropout(geglu(x), Some(context.layout), context.output); // [rows, intermediate]
        self.wo.forward(x, context.at(AdapterSite::Output))
    }
}

impl ModernBertLayer {
    /// Returns layer number `layer`.
    pub(crate) fn zeros(
        config: &EncoderConfig,
        modernbert: &ModernBertConfig,
        layer: usize,
        device: &Device,
    ) -> Self {
        let norm = || LayerNorm::zeros(config.hidden_size, config, device);
        let attention_dropout = config.attention_probs_dropout_prob;
        Self {
            attn_norm: (layer > 0).then(norm),
            attn: ModernBertAttention::zeros(config, modernbert, layer, device),
            mlp_norm: norm(),
            mlp: ModernBertMlp::zeros(config, device),
            dropout: [attention_dropout, attention_dropout, modernbert.mlp_dropout],
        }
    }

    /// Returns the hidden states of all tokens. `layer` is the number of this layer, for dropout.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, layer: usize, context: &EncoderContext<'_>) -> Tensor<2> {
        let context = LayerContext::new(context, layer, self.dropout);
        let qkv = self.attn.query_key_value(self.normalized(x.clone()), context);
        let attended = attention(qkv, None, context.layout, self.attn.options(context)); // [num_tokens, hidden]
        self.feed_forward(self.attn.output(attended, x, context), context)
    }

    /// Returns the rows of [`forward`](Self::forward) for the first token of each sequence.
    /// For all other tokens, it computes only query, key and value.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub fn forward_first(&self, x: Tensor<2>, layer: usize, context: &EncoderContext<'_>) -> Tensor<2> {
        let (context, hidden) = (LayerContext::new(context, layer, self.dropout), x.dims()[1]);
        let layout = context.layout;
        let qkv = self.attn.query_key_value(self.normalized(x.clone()), context);
        let query = first_tokens(qkv.clone(), layout).narrow(1, 0, hidden); // [batch, hidden]
        let key_value = qkv.narrow(1, hidden, 2 * hidden); // [num_tokens, 2 · hidden], a copy
        let attended = first_token_attention(query, key_value, None, layout, self.attn.options(context));
        let context = LayerContext { layout: &layout.first_tokens(), ..context };
        self.feed_forward(self.attn.output(attended, first_tokens(x, layout), context), context)
    }

    /// Returns x + mlp(norm(x)).
    ///
    /// # Shapes
    /// - `x`, output: `[rows, hidden]`
    fn feed_forward(&self, x: Tensor<2>, context: LayerContext<'_>) -> Tensor<2> {
        let y = self.mlp.forward(self.mlp_norm.forward(x.clone()), context);
        add_residual(y, x, context.layout, None)
    }

    /// Returns the input of attention.
    fn normalized(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.attn_norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        vec![
            ("attn.wqkv".into(), &mut self.attn.wqkv),
            ("attn.wo".into(), &mut self.attn.wo),
            ("mlp.wi".into(), &mut self.mlp.wi),
            ("mlp.wo".into(), &mut self.mlp.wo),
        ]
    }
}
