//! What embeddings and layers are built from: the numbers that BERT's and DistilBERT's configs name each in their way.

/// The shape and the dropout rates of embeddings and layers.
pub(crate) struct EncoderConfig {
    pub(crate) vocab_size: usize,
    pub(crate) max_position_embeddings: usize,
    /// `None` where tokens have no types.
    pub(crate) type_vocab_size: Option<usize>,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) layer_norm_eps: f64,
    pub(crate) embeddings_dropout: f64,
    pub(crate) attention_probs_dropout: f64,
    /// After the projection of attention's output.
    pub(crate) attention_output_dropout: f64,
    /// After the feed-forward network's second product.
    pub(crate) output_dropout: f64,
}

impl EncoderConfig {
    /// The parameters of the embeddings and the layers: those that no checkpoint lacks.
    pub(crate) fn num_parameters(&self) -> u128 {
        let sizes =
            [self.hidden_size, self.intermediate_size, self.num_hidden_layers].map(|size| size as u128);
        let [hidden, intermediate, layers] = sizes;
        let tables = [self.vocab_size, self.max_position_embeddings, self.type_vocab_size.unwrap_or(0)];
        let embeddings = (tables.iter().map(|&rows| rows as u128).sum::<u128>() + 2) * hidden;
        let attention = 4 * (hidden + 1) * hidden + 2 * hidden;
        let feed_forward = (hidden + 1) * intermediate + (intermediate + 1) * hidden + 2 * hidden;
        embeddings + layers * (attention + feed_forward)
    }
}

#[cfg(test)]
mod tests {
    use crate::{BertConfig, DistilBertConfig};

    // What transformers counts, less the pooler's 590,592.
    #[test]
    fn the_known_models_have_as_many_parameters_as_is_known() {
        assert_eq!(BertConfig::default().encoder().num_parameters(), 109_482_240 - 590_592);
        assert_eq!(DistilBertConfig::default().encoder().num_parameters(), 66_362_880);
    }
}
