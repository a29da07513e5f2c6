//! BERT: embeddings, encoder, pooler.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, first_tokens};

use crate::{BertConfig, BertEmbeddings, BertEncoder, BertPooler, Linear, Pass};

/// BERT without a head.
#[derive(Module, Debug)]
pub struct BertModel {
    /// Ids to the first hidden states.
    pub embeddings: BertEmbeddings,
    /// The layers.
    pub encoder: BertEncoder,
    /// One vector for each sequence.
    pub pooler: BertPooler,
}

/// What `transformers` returns with `output_hidden_states=True`.
#[derive(Debug)]
pub struct BertModelOutput {
    /// After the embeddings and after each layer, `[num_tokens, hidden]` each.
    pub hidden_states: Vec<Tensor<2>>,
    /// `[batch, hidden]`
    pub pooler_output: Tensor<2>,
}

impl BertModel {
    pub(crate) fn zeros(config: &BertConfig, device: &Device) -> Self {
        let encoder = config.encoder();
        Self {
            embeddings: BertEmbeddings::zeros(&encoder, device),
            encoder: BertEncoder::zeros(&encoder, device),
            pooler: BertPooler::zeros(config, device),
        }
    }

    /// The hidden states after the last layer.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - output: `[num_tokens, hidden]`
    pub fn last_hidden_state(
        &self,
        input_ids: Tensor<1, Int>,
        layout: &SequenceLayout,
        pass: Pass,
    ) -> Tensor<2> {
        let x = self.embeddings.forward(input_ids, layout, pass); // [num_tokens, hidden]
        self.encoder.forward(x, layout, pass)
    }

    /// tanh(x₀W + b) of each sequence's first token after the last layer, which computes no other token.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - output: `[batch, hidden]`
    pub fn pooler_output(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let x = self.embeddings.forward(input_ids, layout, pass); // [num_tokens, hidden]
        self.pooler.forward(self.encoder.forward_first(x, layout, pass), pass)
    }

    /// All hidden states, in fp32 and without dropout.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    pub fn hidden_states(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout) -> BertModelOutput {
        let pass = Pass::default();
        let mut hidden_states = vec![self.embeddings.forward(input_ids, layout, pass)];
        hidden_states.extend(self.encoder.forward_each(hidden_states[0].clone(), layout, pass));
        let first = first_tokens(hidden_states[hidden_states.len() - 1].clone(), layout);
        BertModelOutput { hidden_states, pooler_output: self.pooler.forward(first, pass) }
    }

    /// The linear layers by module path.
    pub(crate) fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        let encoder = self.encoder.linear_layers();
        let mut layers =
            encoder.map(|(path, linear)| (format!("encoder.{path}"), linear)).collect::<Vec<_>>();
        layers.push(("pooler.dense".into(), &mut self.pooler.dense));
        layers
    }
}
