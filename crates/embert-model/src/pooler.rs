//! Pooler: tanh(x₀W + b) of the first token of each sequence.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::to_fp32;

use crate::forward_context::{ForwardContext, LinearContext};
use crate::linear::Linear;

/// The layer number of the pooler in dropout sites; layers are numbered from 0.
const POOLER: usize = u16::MAX as usize - 2;

/// Pooler: tanh(x₀W + b), where x₀ is the hidden state of the first token, `[CLS]`.
#[derive(Module, Debug)]
pub struct BertPooler {
    /// The linear layer, `[hidden, hidden]`.
    pub dense: Linear,
}

impl BertPooler {
    pub(crate) fn zeros(hidden_size: usize, device: &Device) -> Self {
        Self { dense: Linear::zeros(hidden_size, hidden_size, device) }
    }

    /// Returns one vector for each sequence.
    ///
    /// # Shapes
    /// - `first_tokens`, output: `[batch, hidden]`
    pub fn forward(&self, first_tokens: Tensor<2>, context: ForwardContext) -> Tensor<2> {
        let context = LinearContext { forward: context, layer: POOLER, site: 0, layout: None };
        to_fp32(self.dense.forward(first_tokens, context)).tanh()
    }
}
