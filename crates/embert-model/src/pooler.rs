//! One vector for each sequence: tanh(x₀W + b) of its first token.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::linear::Linear;
use crate::pass::{LinearPass, Pass};

/// The number by which dropout knows the pooler; layers count from 0.
const POOLER: usize = u16::MAX as usize - 2;

/// tanh(x₀W + b) of the first token, `[CLS]`.
#[derive(Module, Debug)]
pub struct BertPooler {
    /// `[hidden, hidden]`
    pub dense: Linear,
}

impl BertPooler {
    pub(crate) fn zeros(hidden_size: usize, device: &Device) -> Self {
        Self { dense: Linear::zeros(hidden_size, hidden_size, device) }
    }

    /// # Shapes
    /// - `first_tokens`, output: `[batch, hidden]`
    pub fn forward(&self, first_tokens: Tensor<2>, pass: Pass) -> Tensor<2> {
        let at = LinearPass { pass, layer: POOLER, site: 0, layout: None };
        self.dense.forward(first_tokens, at).tanh()
    }
}
