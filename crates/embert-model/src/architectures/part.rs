//! The parts of a model, from the input to the head.

/// A part of a model. Parts are ordered from the input to the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The embedding tables and their norm.
    Embeddings,
    /// A layer of the encoder, counted from 0.
    Layer(usize),
    /// Pooler, dense layer and classifier.
    Head,
}
