//! Embeddings: dropout(LayerNorm(word + position + token_type)).

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, dropout};

use crate::encoder_config::EncoderConfig;
use crate::forward_context::ForwardContext;
use crate::layer_norm::LayerNorm;
use crate::parameters::zeros;

/// The layer number of the embeddings in dropout sites; layers are numbered from 0.
const EMBEDDINGS: usize = u16::MAX as usize;

/// Embedding table.
#[derive(Module, Debug)]
pub struct Embedding {
    /// `[rows, hidden]`.
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    fn zeros(rows: usize, hidden_size: usize, device: &Device) -> Self {
        Self { weight: zeros([rows, hidden_size], device) }
    }
}

/// Sum of word, position and token type embeddings: dropout(LayerNorm(word + position + token_type)).
#[derive(Module, Debug)]
pub struct BertEmbeddings {
    /// `[vocab_size, hidden]`.
    pub word_embeddings: Embedding,
    /// `[max_position_embeddings, hidden]`.
    pub position_embeddings: Embedding,
    /// `[type_vocab_size, hidden]`; `None` for DistilBERT.
    pub token_type_embeddings: Option<Embedding>,
    /// LayerNorm of the sum.
    pub layer_norm: LayerNorm,
    dropout: f64,
}

impl BertEmbeddings {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let table = |rows| Embedding::zeros(rows, config.hidden_size, device);
        Self {
            word_embeddings: table(config.vocab_size),
            position_embeddings: table(config.max_position_embeddings),
            token_type_embeddings: config.type_vocab_size.map(table),
            layer_norm: LayerNorm::zeros(config, device),
            dropout: config.hidden_dropout_prob,
        }
    }

    /// Returns true if the model has an embedding for the second text of a pair, or no token types.
    pub fn supports_pairs(&self) -> bool {
        self.token_type_embeddings.as_ref().is_none_or(|table| table.weight.dims()[0] > 1)
    }

    /// Returns the hidden states that are the input of the first layer. The layout has the token types.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - output: `[num_tokens, hidden]`
    pub fn forward(
        &self,
        input_ids: Tensor<1, Int>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Tensor<2> {
        let x = embert_kernels::embeddings(
            input_ids,
            layout,
            self.word_embeddings.weight.val(),
            self.position_embeddings.weight.val(),
            self.token_type_embeddings.as_ref().map(|table| table.weight.val()),
        );
        let site = context.site(EMBEDDINGS, 0, self.dropout);
        dropout(self.layer_norm.forward(x), Some(layout), site)
    }
}
