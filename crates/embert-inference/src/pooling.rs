//! Pooling: from the hidden states of all tokens to one vector for each text.

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{SequenceLayout, first_tokens};
use embert_model::{AutoModel, Pass};

/// The vector of a text, in sentence-transformers' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The hidden state of the first token, `[CLS]`.
    Cls,
    /// The mean of the hidden states of all tokens, `[CLS]` and `[SEP]` included.
    Mean,
    /// The pooler's output, tanh(x₀W + b).
    Pooled,
}

impl Pooling {
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    ///
    /// # Panics
    /// For [`Pooled`](Self::Pooled), if the model has no pooler.
    pub(crate) fn apply(
        self,
        model: &AutoModel,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        pass: Pass,
    ) -> Tensor<2> {
        match self {
            Self::Cls => first_tokens(hidden_states, layout),
            Self::Mean => mean_weights(layout, &hidden_states.device()).matmul(hidden_states),
            Self::Pooled => model.pooler_output(hidden_states, layout, pass).expect("the model has a pooler"),
        }
    }
}

/// Returns the matrix whose product with hidden states is their mean: 1/length at a sequence's own tokens, else 0.
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
