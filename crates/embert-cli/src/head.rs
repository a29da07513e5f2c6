//! The classification head that training starts with.

/// The classification head that training starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// The head of the checkpoint, if it has one.
    Kept,
    /// A new head, because the checkpoint's head has other labels.
    New,
}
