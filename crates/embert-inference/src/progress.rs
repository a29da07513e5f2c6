//! Progress of a pass over texts.

/// How many texts of a pass are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Texts done.
    pub done: usize,
    /// Texts in total.
    pub total: usize,
}
