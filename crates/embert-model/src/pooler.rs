//! One vector for each sequence: tanh(x₀W + b) of its first token.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{Precision, SequenceLayout};

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
    /// - `hidden_states`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub fn forward(
        &self,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        precision: Precision,
    ) -> Tensor<2> {
        let starts = layout.starts().into_iter().map(|start| start as i32).collect::<Vec<_>>();
        let starts = Tensor::<1, Int>::from_data(starts.as_slice(), &hidden_states.device());
        self.dense.forward(hidden_states.select(0, starts), precision).tanh() // [batch, hidden]
    }
}
