//! One vector for each sequence: tanh(x₀W + b) of its first token.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::Precision;

use crate::{BertConfig, Linear};

/// tanh(x₀W + b) of the first token, `[CLS]`.
#[derive(Module, Debug)]
pub struct BertPooler {
    /// `[hidden, hidden]`
    pub dense: Linear,
}

impl BertPooler {
    pub(crate) fn zeros(config: &BertConfig, device: &Device) -> Self {
        Self { dense: Linear::zeros(config.hidden_size, config.hidden_size, device) }
    }

    /// # Shapes
    /// - `first_tokens`, output: `[batch, hidden]`
    pub fn forward(&self, first_tokens: Tensor<2>, precision: Precision) -> Tensor<2> {
        self.dense.forward(first_tokens, precision).tanh()
    }
}
