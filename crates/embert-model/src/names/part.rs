//! Which part of a model a parameter belongs to, by its name.

/// A part of a classifier; the order is that from the input up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The tables of the embeddings and their norm.
    Embeddings,
    /// A layer of the encoder, counted from 0.
    Layer(usize),
    /// What stands above the encoder: pooler and classifier.
    Head,
}

impl Part {
    /// The part of the parameter with this Hugging Face name.
    ///
    /// ```
    /// use embert_model::names::Part;
    ///
    /// assert_eq!(Part::of("bert.encoder.layer.11.output.dense.bias"), Part::Layer(11));
    /// assert_eq!(Part::of("bert.embeddings.word_embeddings.weight"), Part::Embeddings);
    /// assert_eq!(Part::of("bert.pooler.dense.weight"), Part::Head);
    /// ```
    pub fn of(name: &str) -> Self {
        let layer = name.split_once("layer.").and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
        match layer {
            Some(number) => Self::Layer(number),
            None if name.split('.').any(|word| word == "embeddings") => Self::Embeddings,
            None => Self::Head,
        }
    }
}
