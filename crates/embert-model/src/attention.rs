//! A layer's first half: LayerNorm(x + dropout(W·attention(x) + b)).

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{DropoutSite, Precision, SequenceLayout, attention, query_key_value};

use crate::layer::LayerDropout;
use crate::{BertConfig, LayerNorm, Linear};

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
    fn zeros(config: &BertConfig, device: &Device) -> Self {
        let square = || Linear::zeros(config.hidden_size, config.hidden_size, device);
        Self { query: square(), key: square(), value: square(), num_heads: config.num_attention_heads }
    }

    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        site: Option<DropoutSite>,
        precision: Precision,
    ) -> Tensor<2> {
        let maps = [&self.query, &self.key, &self.value];
        let (weights, biases) = (maps.map(|map| map.weight.val()), maps.map(|map| map.bias.val()));
        let qkv = query_key_value(x, weights, biases, precision); // [num_tokens, 3 · hidden]
        attention(qkv, layout, self.num_heads, site, precision)
    }
}

/// LayerNorm(residual + dropout(xW + b)).
#[derive(Module, Debug)]
pub struct BertSelfOutput {
    /// `[hidden, hidden]`
    pub dense: Linear,
    /// After the residual connection.
    pub layer_norm: LayerNorm,
}

/// A layer's first half.
#[derive(Module, Debug)]
pub struct BertAttention {
    /// Who looks at whom.
    pub self_attention: BertSelfAttention,
    /// The projection, the residual connection and its norm.
    pub output: BertSelfOutput,
}

impl BertAttention {
    pub(crate) fn zeros(config: &BertConfig, device: &Device) -> Self {
        let output = BertSelfOutput {
            dense: Linear::zeros(config.hidden_size, config.hidden_size, device),
            layer_norm: LayerNorm::zeros(config, device),
        };
        Self { self_attention: BertSelfAttention::zeros(config, device), output }
    }

    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        layout: &SequenceLayout,
        dropout: LayerDropout,
        precision: Precision,
    ) -> Tensor<2> {
        let context = self.self_attention.forward(x.clone(), layout, dropout.attention_probs, precision);
        let context = self.output.dense.forward(context, precision);
        self.output.layer_norm.add_forward(context, x, layout, dropout.attention_output)
    }
}
