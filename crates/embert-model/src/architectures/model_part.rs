//! Parts of a model, ordered from the input to the head.

/// Part of a model that contains a parameter. Parts are ordered from the input to the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelPart {
    /// Embedding tables and their LayerNorm.
    Embeddings,
    /// A layer of the encoder, numbered from 0.
    Layer(usize),
    /// LayerNorm after the last layer, pooler, dense layer and classifier.
    Head,
}
