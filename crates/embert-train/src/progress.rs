//! How far a pass over examples is, and the answer of the caller who is told.

use std::ops::ControlFlow;

use crate::error::TrainError;

/// The answer to an event: go on, stop in good order (`Break`), or fail.
pub type Answer = Result<ControlFlow<()>, TrainError>;

/// How far a pass over examples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Examples done.
    pub done: usize,
    /// Examples in all.
    pub total: usize,
}
