//! A layer's first half: LayerNorm(x + dropout(W·attention(x) + b)).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{
    SequenceLayout, attention, first_token_attention, first_tokens, key_value, query_key_value,
};

use crate::encoder_config::EncoderConfig;
use crate::layer_norm::LayerNorm;
use crate::linear::{Linear, add_side_by_side};
use crate::pass::{AdapterSite, LayerPass, LinearPass};

/// dropout(softmax(QKᵀ/√d))·V with Q, K, V = xW + b.
#[derive(Module, Debug)]
pub struct BertSelfAttention {
    /// Q, `[hidden, hidden]`
    pub query: Linear,
    /// K, `[hidden, hidden]`
    pub key: Linear,
    /// V, `[hidden, hidden]`
    pub value: Linear,
    num_heads: usize,
}

impl BertSelfAttention {
    fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let square = || Linear::zeros(config.hidden_size, config.hidden_size, device);
        Self { query: square(), key: square(), value: square(), num_heads: config.num_attention_heads }
    }

    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    fn forward(&self, x: Tensor<2>, layout: &SequenceLayout, pass: LayerPass) -> Tensor<2> {
        let (weights, biases) = weights_and_biases([&self.query, &self.key, &self.value]);
        let qkv = query_key_value(x.clone(), weights, biases, pass.pass.precision); // [num_tokens, 3 · hidden]
        let query = (&self.query, pass.at(AdapterSite::Query, layout));
        let qkv = add_side_by_side([query, self.key_at(layout, pass), self.value_at(layout, pass)], qkv, &x);
        attention(qkv, layout, self.num_heads, pass.attention_probs, pass.pass.precision)
    }

    /// The rows of each sequence's first token, which are given as `first`.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - `first`, output: `[batch, hidden]`
    fn forward_first(
        &self,
        x: Tensor<2>,
        first: Tensor<2>,
        layout: &SequenceLayout,
        pass: LayerPass,
    ) -> Tensor<2> {
        let query = self.query.forward(first, pass.at(AdapterSite::Query, &layout.first_tokens()));
        let (weights, biases) = weights_and_biases([&self.key, &self.value]);
        let key_value = key_value(x.clone(), weights, biases, pass.pass.precision); // [num_tokens, 2 · hidden]
        let key_value =
            add_side_by_side([self.key_at(layout, pass), self.value_at(layout, pass)], key_value, &x);
        let (site, precision) = (pass.attention_probs, pass.pass.precision);
        first_token_attention(query, key_value, layout, self.num_heads, site, precision)
    }

    fn key_at<'a>(&'a self, layout: &'a SequenceLayout, pass: LayerPass) -> (&'a Linear, LinearPass<'a>) {
        (&self.key, pass.at(AdapterSite::Key, layout))
    }

    fn value_at<'a>(&'a self, layout: &'a SequenceLayout, pass: LayerPass) -> (&'a Linear, LinearPass<'a>) {
        (&self.value, pass.at(AdapterSite::Value, layout))
    }
}

fn weights_and_biases<const N: usize>(maps: [&Linear; N]) -> ([Tensor<2>; N], [Option<Tensor<1>>; N]) {
    (maps.map(|map| map.weight.val()), maps.map(Linear::bias))
}

/// LayerNorm(residual + dropout(xW + b)).
#[derive(Module, Debug)]
pub struct BertSelfOutput {
    /// `[hidden, hidden]`
    pub dense: Linear,
    /// After the residual connection.
    pub layer_norm: LayerNorm,
}

impl BertSelfOutput {
    fn forward(
        &self,
        context: Tensor<2>,
        residual: Tensor<2>,
        layout: &SequenceLayout,
        pass: LayerPass,
    ) -> Tensor<2> {
        let x = self.dense.forward(context, pass.at(AdapterSite::AttentionOutput, layout));
        self.layer_norm.add_forward(x, residual, layout, pass.attention_output)
    }
}

/// A layer's first half.
#[derive(Module, Debug)]
pub struct BertAttention {
    /// Multi-head self-attention.
    pub self_attention: BertSelfAttention,
    /// The projection, the residual connection and its norm.
    pub output: BertSelfOutput,
}

impl BertAttention {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let output = BertSelfOutput {
            dense: Linear::zeros(config.hidden_size, config.hidden_size, device),
            layer_norm: LayerNorm::zeros(config, device),
        };
        Self { self_attention: BertSelfAttention::zeros(config, device), output }
    }

    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub(crate) fn forward(&self, x: Tensor<2>, layout: &SequenceLayout, pass: LayerPass) -> Tensor<2> {
        let context = self.self_attention.forward(x.clone(), layout, pass);
        self.output.forward(context, x, layout, pass)
    }

    /// The rows of each sequence's first token.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub(crate) fn forward_first(&self, x: Tensor<2>, layout: &SequenceLayout, pass: LayerPass) -> Tensor<2> {
        let first = first_tokens(x.clone(), layout); // [batch, hidden]
        let context = self.self_attention.forward_first(x, first.clone(), layout, pass);
        self.output.forward(context, first, &layout.first_tokens(), pass)
    }

    /// The linear layers by module path.
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
