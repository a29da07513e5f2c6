//! Progress of a prediction.

/// Number of processed texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Processed texts.
    pub done: usize,
    /// All texts.
    pub total: usize,
}
