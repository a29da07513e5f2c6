//! The projections of the relative embeddings in a layer of DeBERTa: key and query projection of dropout(embeddings).

use burn::tensor::Tensor;
use embert_kernels::{RelativePositions, RelativeProjections, SequenceLayout, dropout};

use crate::deberta_config::PosAttType;
use crate::encoder_config::EncoderConfig;
use crate::forward_context::{LayerContext, LinearContext};
use crate::linear::Linear;

/// Dropout sites of the relative embeddings in a layer, and of its adapters on them. Smaller numbers belong to the
/// layer and its other adapters.
const DROPOUT: usize = 9;
const KEY_ADAPTER: usize = 10;
const QUERY_ADAPTER: usize = 11;

/// The settings of disentangled attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RelativeAttention {
    positions: RelativePositions,
    terms: PosAttType,
    dropout: f64,
}

impl RelativeAttention {
    /// Returns the settings; `None` for a family without disentangled attention.
    pub(crate) fn new(config: &EncoderConfig) -> Option<Self> {
        let deberta = config.deberta.as_ref()?;
        Some(Self {
            positions: deberta.relative_positions(config.max_position_embeddings),
            terms: deberta.pos_att_type,
            dropout: config.hidden_dropout_prob,
        })
    }

    /// Returns the projections that the scores need.
    ///
    /// # Shapes
    /// - `embeddings`: `[2 · span, hidden]`
    pub(crate) fn projections(
        self,
        embeddings: Tensor<2>,
        [key, query]: [&Linear; 2],
        context: LayerContext<'_>,
    ) -> RelativeProjections {
        let rows = SequenceLayout::packed(vec![embeddings.dims()[0]]);
        let site = context.forward.site(context.layer, DROPOUT, self.dropout);
        // The product is a node of this layer. So gradients of a layer are added first, as with gradient checkpointing.
        let embeddings = dropout(embeddings.mul_scalar(1.0), Some(&rows), site);
        let project = |linear: &Linear, site| {
            let LayerContext { forward, layer, .. } = context;
            linear.forward(embeddings.clone(), LinearContext { forward, layer, site, layout: Some(&rows) })
        };
        RelativeProjections {
            key: self.terms.c2p.then(|| project(key, KEY_ADAPTER)),
            query: self.terms.p2c.then(|| project(query, QUERY_ADAPTER)),
            positions: self.positions,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use embert_kernels::DropoutStream;

    use super::*;
    use crate::forward_context::{EncoderContext, ForwardContext};

    /// Both projections see the same dropped embeddings, as in transformers.
    #[test]
    fn relative_embeddings_have_dropout_before_their_projections() {
        let device = Device::flex();
        let positions = RelativePositions { position_buckets: None, max_relative_positions: 32 };
        let terms = PosAttType { c2p: true, p2c: true };
        let attention = RelativeAttention { positions, terms, dropout: 0.5 };
        let mut identity = Linear::zeros(8, 8, &device);
        identity.weight = identity.weight.map(|_| Tensor::eye(8, &device));
        let stream = DropoutStream { seed: 1, step: 0, first_sequence: 0 };
        let forward = ForwardContext { dropout: Some(stream), ..ForwardContext::default() };
        let layout = SequenceLayout::packed(vec![]);
        let encoder = EncoderContext { forward, layout: &layout, relative: None };
        let context = LayerContext::new(&encoder, 3, [0.0; 3]);
        let embeddings = Tensor::ones([64, 8], &device);
        let projections = attention.projections(embeddings, [&identity, &identity], context);
        let [key, query] = [projections.key, projections.query]
            .map(|projection| projection.expect("both terms").into_data().try_to_vec::<f32>().expect("fp32"));
        assert_eq!(key, query);
        assert!(key.iter().all(|&value| value == 0.0 || value == 2.0));
        let kept = key.iter().filter(|&&value| value == 2.0).count();
        assert!((200..312).contains(&kept), "{kept} of 512 elements are kept");
    }
}
