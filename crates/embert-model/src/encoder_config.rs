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
