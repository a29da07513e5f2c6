//! Errors of inference.

/// Why a model could not be opened, or texts could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The model's output for a text is infinite or not a number.
    #[error(
        "the model's logits for text {row} (from 0) are no finite numbers: its weights, or the scaling of its adapter, are \
         too large to compute with"
    )]
    NotFinite {
        /// The row of the text, from 0.
        row: usize,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}
