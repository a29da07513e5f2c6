//! Embeddings: dropout(LayerNorm(word + position + token_type)), projected to the hidden size in some families.

use std::borrow::Cow;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, dropout, to_fp32};

use crate::encoder_config::{EncoderConfig, Positions};
use crate::forward_context::{ForwardContext, LinearContext};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::parameters::zeros;

/// The layer number of the embeddings in dropout sites; layers are numbered from 0.
const EMBEDDINGS: usize = u16::MAX as usize;

/// Embedding table.
#[derive(Module, Debug)]
pub struct Embedding {
    /// `[rows, embedding]`.
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    pub(crate) fn zeros(rows: usize, embedding_size: usize, device: &Device) -> Self {
        Self { weight: zeros([rows, embedding_size], device) }
    }
}

/// Sum of word, position and token type embeddings: dropout(LayerNorm(word + position + token_type)).
#[derive(Module, Debug)]
pub struct BertEmbeddings {
    /// `[vocab_size, embedding]`.
    pub word_embeddings: Embedding,
    /// `[max_position_embeddings, embedding]`; `None` for DeBERTa and ModernBERT, whose attention reads positions.
    pub position_embeddings: Option<Embedding>,
    /// `[type_vocab_size, embedding]`; `None` for a family without token types.
    pub token_type_embeddings: Option<Embedding>,
    /// LayerNorm of the sum.
    pub layer_norm: LayerNorm,
    /// Projection after dropout, `[embedding, hidden]`; see [`EncoderConfig::projects_embeddings`].
    pub projection: Option<Linear>,
    dropout: f64,
    first_position: usize,
    pair_token_types: bool,
}

impl BertEmbeddings {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let (embedding, hidden) = (config.embedding_size(), config.hidden_size);
        let has_positions = config.positions != Positions::None;
        let table = |rows| Embedding::zeros(rows, embedding, device);
        Self {
            word_embeddings: table(config.vocab_size),
            position_embeddings: has_positions.then(|| table(config.max_position_embeddings)),
            token_type_embeddings: config.type_vocab_size.map(table),
            layer_norm: LayerNorm::zeros(embedding, config, device),
            projection: config.projects_embeddings().then(|| Linear::zeros(embedding, hidden, device)),
            dropout: config.hidden_dropout_prob,
            first_position: config.first_position(),
            pair_token_types: config.pair_token_types,
        }
    }

    /// Returns true if the model has an embedding for the second text of a pair, or needs none.
    pub fn supports_pairs(&self) -> bool {
        let types = self.token_type_embeddings.as_ref().filter(|_| self.pair_token_types);
        types.is_none_or(|table| table.weight.dims()[0] > 1)
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
            &self.layout_of_types(layout),
            self.word_embeddings.weight.val(),
            self.position_embeddings.as_ref().map(|table| table.weight.val()),
            self.first_position,
            self.token_type_embeddings.as_ref().map(|table| table.weight.val()),
        ); // [num_tokens, embedding]
        let site = context.site(EMBEDDINGS, 0, self.dropout);
        let x = dropout(self.layer_norm.forward(x), Some(layout), site);
        match &self.projection {
            Some(projection) => {
                let context =
                    LinearContext { forward: context, layer: EMBEDDINGS, site: 1, layout: Some(layout) };
                to_fp32(projection.forward(x, context)) // [num_tokens, hidden]
            }
            None => x,
        }
    }

    /// Returns the layout without token types, if all tokens have type 0.
    fn layout_of_types<'a>(&self, layout: &'a SequenceLayout) -> Cow<'a, SequenceLayout> {
        if self.pair_token_types || layout.first_segment_lengths.is_none() {
            Cow::Borrowed(layout)
        } else {
            Cow::Owned(SequenceLayout { first_segment_lengths: None, ..layout.clone() })
        }
    }
}
