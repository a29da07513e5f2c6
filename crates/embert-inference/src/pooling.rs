//! Pooling: hidden states of all tokens to one vector for each text.

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{SequenceLayout, first_tokens};
use embert_model::{AutoModel, ForwardContext};

/// Pooling mode, with the names of sentence-transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The hidden state of the first token, `[CLS]`.
    Cls,
    /// The mean of the hidden states of all tokens, including `[CLS]` and `[SEP]`.
    Mean,
    /// The output of the pooler, tanh(x₀W + b).
    Pooled,
}

impl Pooling {
    /// Returns one vector for each text.
    ///
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    ///
    /// # Panics
    /// For [`Pooled`](Self::Pooled) if the model has no pooler.
    pub(crate) fn apply(
        self,
        model: &AutoModel,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Tensor<2> {
        match self {
            Self::Cls => first_tokens(hidden_states, layout),
            Self::Mean => mean_weights(layout, &hidden_states.device()).matmul(hidden_states),
            Self::Pooled => {
                model.pooler_output(hidden_states, layout, context).expect("the model has a pooler")
            }
        }
    }
}

/// Returns the matrix that computes means when multiplied with hidden states.
/// It is 1/length at the tokens of a sequence and 0 elsewhere.
///
/// # Shapes
/// - output: `[batch, num_tokens]`
fn mean_weights(layout: &SequenceLayout, device: &Device) -> Tensor<2> {
    let shape = [layout.batch_size(), layout.num_tokens()];
    let mut weights = vec![0.0_f32; shape[0] * shape[1]];
    for (row, (&length, start)) in
        weights.chunks_mut(shape[1]).zip(layout.lengths.iter().zip(layout.starts()))
    {
        row[start..start + length].fill(1.0 / length as f32);
    }
    Tensor::from_data(TensorData::new(weights, shape), device)
}
